/** Delivers events: a Lambda function that the queue of deliveries invokes. */
import { loadDeliverConfig } from "../shared/config.ts";
import { parseWake } from "../shared/delivery-queue.ts";
import type { WebhookId } from "../shared/ids.ts";
import { deliverDue } from "./deliver/deliver-due.ts";
import { openDeliverServices } from "./deliver/open-services.ts";

const { services } = openDeliverServices(loadDeliverConfig());

/** What SQS hands to a function. */
type SqsEvent = { Records: { messageId: string; body: string }[] };
type BatchResponse = { batchItemFailures: { itemIdentifier: string }[] };

/** The messages of webhooks that could not be delivered to now come again; those of the others are done. */
export async function handler({ Records }: SqsEvent): Promise<BatchResponse> {
  const failed = new Set<string>();
  const byWebhook = new Map<WebhookId, string[]>();
  for (const { messageId, body } of Records) {
    const webhookId = parseWake(body);
    if (webhookId) byWebhook.set(webhookId, [...(byWebhook.get(webhookId) ?? []), messageId]);
  }
  await Promise.all(
    [...byWebhook].map(async ([webhookId, messageIds]) => {
      try {
        await deliverDue(services, webhookId);
      } catch (err) {
        services.log.error({ err, webhookId }, "not delivered");
        for (const messageId of messageIds) failed.add(messageId);
      }
    }),
  );
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}
