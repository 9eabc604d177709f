import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import type { CloudClients } from "../test-cloud.ts";
import type { SoakPart } from "./soak-part.ts";

const GROUPS = ["a", "b", "c", "d"];
const RECEIVERS = 2;
/** In one group: else the senders leave the receivers behind, and little is deleted. */
const MOST_WAITING = 30;
/** What follows the number in a body. Some are long, so that the journal is compacted now and then. */
const PADDING = [10, 400, 9_000, 120_000];

/** What clients know of a group: its messages are numbered, and sent one after the other. */
type GroupFacts = { sent: number; asked: number; removed: Set<number>; mayBeRemoved: Set<number> };

/**
 * One FIFO queue, a sender for each group, and receivers that delete. A send without an answer is repeated with the same
 * deduplication id: it must become one message.
 */
export async function startQueuePart({ sqs }: CloudClients): Promise<SoakPart> {
  const Attributes = { FifoQueue: "true" };
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "soak.fifo", Attributes }));
  const groups = new Map<string, GroupFacts>(
    GROUPS.map((group) => [group, { sent: 0, asked: 0, removed: new Set(), mayBeRemoved: new Set() }]),
  );

  const sendNext = async (group: string, facts: GroupFacts) => {
    if (numbersLeft(facts).length >= MOST_WAITING) {
      await sleep(10);
      return;
    }
    const number = facts.sent + 1;
    facts.asked = number;
    const ids = { MessageGroupId: group, MessageDeduplicationId: `${group}-${number}` };
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: bodyOf(number), ...ids }));
    facts.sent = number;
  };
  const receiveAndRemove = async () => {
    const input = { QueueUrl, MaxNumberOfMessages: 3, WaitTimeSeconds: 1, VisibilityTimeout: 1 };
    const MessageSystemAttributeNames = ["MessageGroupId" as const];
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ ...input, MessageSystemAttributeNames }));
    const received = Messages.map(({ Body = "", Attributes, ReceiptHandle }) => {
      const facts = groups.get(Attributes?.MessageGroupId ?? "");
      assert(facts, "a message of no group");
      return { number: Number.parseInt(Body, 10), Body, facts, ReceiptHandle };
    });
    for (const [index, { number, Body, facts }] of received.entries()) {
      assert(!facts.removed.has(number), `message ${number} came back after its deletion`);
      assert(number <= facts.asked, `message ${number} was never sent`);
      assert.equal(Body, bodyOf(number));
      // Everything before it is removed, or came just before it.
      const earlier = received.slice(0, index).flatMap((other) => (other.facts === facts ? other.number : []));
      const missing = numbersLeft(facts).filter((left) => left < number && !earlier.includes(left));
      assert.deepEqual(missing, [], `message ${number} came before others of its group`);
      assert(earlier.every((before) => before < number));
    }
    for (const { number, facts, ReceiptHandle } of received) {
      facts.mayBeRemoved.add(number);
      try {
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      } catch (error) {
        // Too slow: the visibility ran out, the message will come again.
        if (!(error instanceof Error) || !error.message.includes("expired")) throw error;
        facts.mayBeRemoved.delete(number);
        continue;
      }
      facts.removed.add(number);
    }
  };
  const all = () => [...groups.values()];

  return {
    name: "queue",
    workers: [
      ...[...groups].map(
        ([group, facts]) =>
          () =>
            sendNext(group, facts),
      ),
      ...Array.from({ length: RECEIVERS }, () => receiveAndRemove),
    ],
    // A receive would take messages away from the next round; every receive of it checks the order.
    check: async () => undefined,
    finish: async () => {
      while (all().some((facts) => numbersLeft(facts).length > 0)) await receiveAndRemove();
    },
    counts: () => ({
      messagesSent: all().reduce((sum, { sent }) => sum + sent, 0),
      messagesDeleted: all().reduce((sum, { removed }) => sum + removed.size, 0),
    }),
  };
}

function bodyOf(number: number): string {
  return `${number} ${"x".repeat(PADDING[number % PADDING.length] ?? 0)}`;
}

/** The acknowledged messages that must still be there. */
function numbersLeft({ sent, removed, mayBeRemoved }: GroupFacts): number[] {
  const all = Array.from({ length: sent }, (_, index) => index + 1);
  return all.filter((number) => !removed.has(number) && !mayBeRemoved.has(number));
}
