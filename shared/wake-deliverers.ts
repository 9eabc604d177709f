import type { DeliveryQueue } from "./delivery-queue.ts";
import type { WebhookId } from "./ids.ts";
import type { Log } from "./log.ts";

/** So long events are gathered: a host commits many in a moment, and a webhook is to be woken once for them. */
const GATHER_MS = 10;

/**
 * For `Database.onCommitted`: has what was committed delivered soon. That a message does not get through is only logged:
 * `sweep` finds what is due.
 */
export function wakeDeliverers(queue: Pick<DeliveryQueue, "wake">, log: Log): (notes: ReadonlySet<string>) => void {
  const waiting = new Set<WebhookId>();
  let isDue = false;
  const send = async () => {
    isDue = false;
    const webhookIds = [...waiting];
    waiting.clear();
    await queue.wake(webhookIds).catch((err: unknown) => log.warn({ err }, "deliverers were not woken"));
  };
  return (webhookIds) => {
    for (const webhookId of webhookIds) waiting.add(webhookId as WebhookId);
    if (isDue) return;
    isDue = true;
    setTimeout(() => void send(), GATHER_MS);
  };
}
