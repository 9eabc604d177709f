import * as audit from "../../shared/db/audit.ts";
import * as deliveries from "../../shared/db/deliveries.ts";
import { transaction } from "../../shared/db/pool.ts";
import * as webhooks from "../../shared/db/webhooks.ts";
import type { Endpoint, SubscribedType, Webhook } from "../../shared/db/webhooks.ts";
import { EVERY_EVENT } from "../../shared/db/fan-out.ts";
import { newEventId } from "../../shared/ids.ts";
import { DISABLED_NOTICE } from "../../shared/notices.ts";
import type { NoticedReason } from "../../shared/notices.ts";
import { WEBHOOK_WAIT_SECONDS } from "../../shared/retries.ts";
import type { DeliverServices } from "./deliver-services.ts";

const TOLD: readonly SubscribedType[] = [EVERY_EVENT, DISABLED_NOTICE];
const wants = ({ eventTypes }: Webhook) => eventTypes.some((type) => TOLD.includes(type));

/**
 * Disables a webhook that wants nothing any more, or that has failed for too long, if it is one: with an entry in the
 * audit log, and a notice to the other webhooks of its user that want to know.
 */
export async function disableWebhook(
  { database, queue, log }: DeliverServices,
  { webhookId, userId }: Pick<Endpoint, "webhookId" | "userId">,
  reason: NoticedReason,
): Promise<void> {
  const others = (await webhooks.list(database, userId)).flatMap((other) =>
    other.webhookId !== webhookId && !other.disabledAt && wants(other) ? [other.webhookId] : [],
  );
  const isDisabled = await transaction(database, async (runner) => {
    if (!(await webhooks.disable(runner, webhookId, reason))) return false;
    const nobody = { userId: null, tokenId: null, address: null, requestId: reason };
    await audit.append(runner, { ...nobody, action: "webhook.disable", target: webhookId });
    const notice = { id: newEventId(), type: DISABLED_NOTICE, data: { webhookId, reason } } as const;
    await deliveries.createNotices(runner, others, notice, WEBHOOK_WAIT_SECONDS);
    return true;
  });
  if (!isDisabled) return;
  log.warn({ webhookId, reason }, "a webhook was disabled");
  await queue.wake(others).catch((err: unknown) => log.warn({ err }, "deliverers were not woken"));
}
