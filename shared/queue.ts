import { commandMessage } from "./commands.ts";
import type { CommandMessage } from "./commands.ts";
import { groupWork } from "./group-work.ts";

/** One FIFO queue per shard; the index in `urls` is the shard. Within a device commands keep their order. */
export type CommandQueues = ReturnType<typeof openCommandQueues>;

/** A message that was received: `handle` is needed to delete it or to give it back. */
export type Received = { handle: string; receiveCount: number; message: CommandMessage | undefined };

type Failure = { error: unknown };

/** Limits of SQS: 10 messages a call, 20 s of waiting (API reference, ReceiveMessage). */
const BATCH = 10;
const LONG_POLL_SECONDS = 20;
/** A client waits for an answer meanwhile, so a queue that does not answer must be given up soon. */
const SEND_TIMEOUT_MS = 5_000;
/**
 * How long a message stays hidden while a host works on it; the host prolongs it. A dead host's commands come back after
 * this, and until then its devices' next commands wait behind them. Coming back too early does no harm: the command's
 * row says that it runs or has run.
 */
export const VISIBILITY_SECONDS = 6;

/**
 * The SDK is loaded by the first request, as in storage.ts. `frequent` puts the steps of a request together once for each
 * kind, as there; a request with an abort signal would make it forget them all, so such a one goes by `client`.
 */
async function openClients() {
  const sdk = await import("./aws/sqs.ts");
  return { sdk, client: new sdk.SQSClient({}), frequent: new sdk.SQSClient({ cacheMiddleware: true }) };
}

export function openCommandQueues(urls: readonly string[]) {
  let opened: ReturnType<typeof openClients> | undefined;
  const open = () => (opened ??= openClients());
  const urlOf = (shard: number) => {
    const url = urls[shard];
    if (!url) throw new Error(`there is no queue for shard ${shard}: COMMAND_QUEUE_URLS names ${urls.length}`);
    return url;
  };
  const arns = new Map<number, string>();
  const attributesOf = async (shard: number) => {
    const { sdk, client } = await open();
    const request = new sdk.GetQueueAttributesCommand({ QueueUrl: urlOf(shard), AttributeNames: ["QueueArn"] });
    return (await client.send(request, { abortSignal: AbortSignal.timeout(SEND_TIMEOUT_MS) })).Attributes;
  };
  /** At most 10. Throws when the queue does not answer. @returns those that it did not take, and why */
  const sendBatch = async (shard: number, messages: readonly CommandMessage[]) => {
    const { sdk, client } = await open();
    const Entries = messages.map((message, index) => ({ Id: String(index), ...entryOf(message) }));
    const request = new sdk.SendMessageBatchCommand({ QueueUrl: urlOf(shard), Entries });
    const abortSignal = AbortSignal.timeout(SEND_TIMEOUT_MS);
    const { Failed = [], $metadata } = await client.send(request, { abortSignal });
    const failures = Failed.map(({ Id, Code: name = "Unknown", SenderFault }) => {
      const $fault = SenderFault ? "client" : "server";
      return [messages[Number(Id)], { error: new sdk.SQSServiceException({ name, $fault, $metadata }) }] as const;
    });
    return new Map<CommandMessage | undefined, Failure>(failures);
  };
  const senders = new Map<number, (message: CommandMessage) => Promise<Failure | undefined>>();
  const senderOf = (shard: number) => {
    const sender =
      senders.get(shard) ??
      groupWork(async (messages) => {
        try {
          const failed = await sendBatch(shard, messages);
          return (message) => failed.get(message);
        } catch (error) {
          // Whoever asked decides whether it is sent again.
          return () => ({ error });
        }
      }, BATCH);
    senders.set(shard, sender);
    return sender;
  };

  return {
    shards: urls.length,

    /** Throws when the queue of the shard cannot be reached or does not answer. */
    async check(shard: number): Promise<void> {
      await attributesOf(shard);
    },

    /** What AWS calls the queue of a shard. Throws as `check`. */
    async arnOf(shard: number): Promise<string> {
      const arn = arns.get(shard) ?? (await attributesOf(shard))?.QueueArn;
      if (!arn) throw new Error(`the queue of shard ${shard} tells no ARN`);
      arns.set(shard, arn);
      return arn;
    },

    /**
     * What is sent to a shard at about the same time goes in one request. Throws when the queue cannot be reached, does not
     * answer or does not take it: whether it has the message is then not known.
     */
    async send(shard: number, message: CommandMessage): Promise<void> {
      const failure = await senderOf(shard)(message);
      if (failure) throw failure.error;
    },

    /** As `send`, for many. Throws when not all of them are in the queue; some may be. */
    async sendAll(shard: number, messages: readonly CommandMessage[]): Promise<void> {
      for (let at = 0; at < messages.length; at += BATCH) {
        const [failure] = (await sendBatch(shard, messages.slice(at, at + BATCH))).values();
        if (failure) throw failure.error;
      }
    },

    /** Waits up to 20 s for commands of a shard; ends with nothing when the signal is given. */
    async receive(shard: number, signal: AbortSignal): Promise<Received[]> {
      const { sdk, client } = await open();
      const request = new sdk.ReceiveMessageCommand({
        QueueUrl: urlOf(shard),
        MaxNumberOfMessages: BATCH,
        WaitTimeSeconds: LONG_POLL_SECONDS,
        VisibilityTimeout: VISIBILITY_SECONDS,
        MessageSystemAttributeNames: ["ApproximateReceiveCount"],
      });
      const answer = await client.send(request, { abortSignal: signal });
      return (answer.Messages ?? []).map((message) => ({
        handle: message.ReceiptHandle ?? "",
        receiveCount: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
        message: parse(message.Body ?? ""),
      }));
    },

    /** At most 10. A message whose deletion fails comes again, and its command is found finished. */
    async delete(shard: number, handles: readonly string[]): Promise<void> {
      const { sdk, frequent } = await open();
      const Entries = handles.map((handle, index) => ({ Id: String(index), ReceiptHandle: handle }));
      await frequent.send(new sdk.DeleteMessageBatchCommand({ QueueUrl: urlOf(shard), Entries }));
    },

    /** Hides messages for some more seconds; 0 gives them back at once. At most 10. */
    async hide(shard: number, handles: readonly string[], seconds: number): Promise<void> {
      const { sdk, frequent } = await open();
      const Entries = handles.map((handle, index) => ({
        Id: String(index),
        ReceiptHandle: handle,
        VisibilityTimeout: seconds,
      }));
      await frequent.send(new sdk.ChangeMessageVisibilityBatchCommand({ QueueUrl: urlOf(shard), Entries }));
    },

    close() {
      void opened?.then(({ client, frequent }) => {
        client.destroy();
        frequent.destroy();
      });
    },
  };
}

/** Commands with the same answer begin one after the other, in the order in which they were sent. */
export function lineOf({ commandId, deviceId, isReading, overtakes, ...wakes }: CommandMessage): string {
  if (isReading || wakes.wakesJobs || wakes.wakesSchedules) return commandId;
  return overtakes ? `${deviceId}:now` : deviceId;
}

const entryOf = (message: CommandMessage) => ({
  MessageBody: JSON.stringify(message),
  // A group's next message is not given out before this one is deleted.
  MessageGroupId: lineOf(message),
  MessageDeduplicationId: message.commandId,
});

function parse(body: string): CommandMessage | undefined {
  try {
    return commandMessage.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}
