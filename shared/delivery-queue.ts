import * as z from "zod";
import type { WebhookId } from "./ids.ts";

/**
 * The queue that wakes whoever delivers: a message names a webhook for which something may be due, and nothing hangs on
 * it but that this happens soon. The rows are the truth, and `sweep` wakes again what was forgotten.
 */
export type DeliveryQueue = ReturnType<typeof openDeliveryQueue>;

/** A message that was received; `webhookId` is undefined when it is none of ours. */
export type ReceivedWake = { handle: string; webhookId: WebhookId | undefined };

/** Limits of SQS: 10 messages a call, 20 s of waiting, 900 s of delay (API reference). */
const BATCH = 10;
const LONG_POLL_SECONDS = 20;
export const LONGEST_WAKE_DELAY_SECONDS = 900;
const SEND_TIMEOUT_MS = 5_000;
/** How long a message stays hidden while its webhook is delivered to; as infra/ sets it for the function. */
export const WAKE_VISIBILITY_SECONDS = 60;

const wakeMessage = z.object({ webhookId: z.string().transform((text) => text as WebhookId) });

/** The webhook that the body of a message names. */
export function parseWake(body: string): WebhookId | undefined {
  try {
    return wakeMessage.parse(JSON.parse(body)).webhookId;
  } catch {
    return undefined;
  }
}

/** The SDK is loaded by the first request, as in storage.ts. */
async function openClient() {
  const sdk = await import("./aws/sqs.ts");
  return { sdk, client: new sdk.SQSClient({}) };
}

export function openDeliveryQueue(url: string) {
  let opened: ReturnType<typeof openClient> | undefined;
  const open = () => (opened ??= openClient());
  return {
    /** Throws when the queue cannot be reached or does not answer. */
    async check(): Promise<void> {
      const { sdk, client } = await open();
      const request = new sdk.GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] });
      await client.send(request, { abortSignal: AbortSignal.timeout(SEND_TIMEOUT_MS) });
    },

    /** Throws when the queue cannot be reached or refuses a message. @param delayMs not before this, up to 900 s */
    async wake(webhookIds: readonly WebhookId[], delayMs = 0): Promise<void> {
      const { sdk, client } = await open();
      const DelaySeconds = Math.min(LONGEST_WAKE_DELAY_SECONDS, Math.ceil(delayMs / 1000));
      for (let at = 0; at < webhookIds.length; at += BATCH) {
        const Entries = webhookIds
          .slice(at, at + BATCH)
          .map((webhookId, index) => ({ Id: String(index), MessageBody: JSON.stringify({ webhookId }), DelaySeconds }));
        const request = new sdk.SendMessageBatchCommand({ QueueUrl: url, Entries });
        const { Failed } = await client.send(request, { abortSignal: AbortSignal.timeout(SEND_TIMEOUT_MS) });
        if (Failed?.length) throw new Error(`the queue of deliveries refused a message: ${Failed[0]?.Code}`);
      }
    },

    /** Waits up to 20 s for messages; ends with nothing when the signal is given. */
    async receive(signal: AbortSignal): Promise<ReceivedWake[]> {
      const { sdk, client } = await open();
      const request = new sdk.ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: BATCH,
        WaitTimeSeconds: LONG_POLL_SECONDS,
        VisibilityTimeout: WAKE_VISIBILITY_SECONDS,
      });
      const { Messages = [] } = await client.send(request, { abortSignal: signal });
      return Messages.map(({ ReceiptHandle = "", Body = "" }) => ({
        handle: ReceiptHandle,
        webhookId: parseWake(Body),
      }));
    },

    /** At most 10. One whose deletion fails comes again, and finds nothing due. */
    async delete(handles: readonly string[]): Promise<void> {
      const { sdk, client } = await open();
      const Entries = handles.map((handle, index) => ({ Id: String(index), ReceiptHandle: handle }));
      await client.send(new sdk.DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
    },

    close: () => void opened?.then(({ client }) => client.destroy()),
  };
}
