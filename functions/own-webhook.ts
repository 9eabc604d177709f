import * as webhooks from "../shared/db/webhooks.ts";
import type { Webhook } from "../shared/db/webhooks.ts";
import { ApiError } from "../shared/errors.ts";
import type { DeviceId, WebhookId } from "../shared/ids.ts";
import { unseal } from "../shared/sealed.ts";
import { isFor } from "./own-device.ts";
import type { Call, Caller } from "./route.ts";
import { toWebhookView } from "./schemas/webhook.ts";

/**
 * Whether a caller may have the events of these devices; null: of all that its user may see. A token that is for some
 * devices must not get, or turn aside, the events of others.
 */
export const isWithin = (caller: Caller, deviceIds: readonly DeviceId[] | null): boolean =>
  caller.deviceIds === null || (deviceIds?.every((deviceId) => isFor(caller, deviceId)) ?? false);

/** The caller's own. Throws `webhook_not_found` also for another's. */
export async function ownWebhook({ services, caller }: Call, webhookId: WebhookId): Promise<Webhook> {
  const webhook = await webhooks.get(services.database, caller.userId, webhookId);
  if (!webhook || !isWithin(caller, webhook.deviceIds)) throw new ApiError("webhook_not_found");
  return webhook;
}

/** As it is shown. */
export function viewOf({ services }: Call, webhook: Webhook) {
  const { headers, webhookId } = webhook;
  const opened = headers ? unseal(headers, services.config.webhookKey, webhookId) : "{}";
  return toWebhookView(webhook, Object.keys(JSON.parse(opened) as object));
}
