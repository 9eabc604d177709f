import { ChangeMessageVisibilityCommand } from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { createTestQueue } from "./test-queue.ts";
import type { TestQueue } from "./test-queue.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud("standing");
});
afterAll(() => cloud.dispose());

const VISIBILITY_SECONDS = 30;
const DEDUPLICATION_MS = 5 * 60_000;

type Held = { handle: string; hiddenUntil: number };
type ModelMessage = { body: string; group: string; held: Held | undefined };

/** A FIFO queue as the documentation tells it, with a clock of its own. */
class Model {
  messages: ModelMessage[] = [];
  readonly sent = new Map<string, number>();
  nowMs = 0;

  isHidden({ held }: ModelMessage): boolean {
    return held !== undefined && held.hiddenUntil > this.nowMs;
  }

  /** A message sent under the same id less than five minutes ago swallows this one. */
  send(group: string, id: string): void {
    const before = this.sent.get(id);
    if (before !== undefined && this.nowMs < before + DEDUPLICATION_MS) return;
    this.sent.set(id, this.nowMs);
    this.messages.push({ body: id, group, held: undefined });
  }

  /** By group, what a receive may give of it: its messages in order, or none while one of them is hidden. */
  receivable(): Map<string, string[]> {
    const locked = new Set(this.messages.filter((message) => this.isHidden(message)).map(({ group }) => group));
    const byGroup = new Map<string, string[]>();
    for (const { group, body } of this.messages) {
      if (!locked.has(group)) byGroup.set(group, [...(byGroup.get(group) ?? []), body]);
    }
    return byGroup;
  }
}

/** `pick` chooses among the handles that were given out so far. */
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("send" as const), group: fc.nat(2), id: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("receive" as const), max: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("delete" as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("giveBack" as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.constantFrom(1, 29, 31, 299) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("count" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const), killed: fc.boolean() }) },
);

it(
  "does what a small model does, whatever is sent, received, deleted, given back, and over restarts",
  { timeout: 120_000 },
  async () => {
    let steps = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 120, maxLength: 200 }), async (commands) => {
        const queue = await createTestQueue(cloud, "fifo", { VisibilityTimeout: String(VISIBILITY_SECONDS) });
        const model = new Model();
        const handles: string[] = [];
        steps += commands.length;
        for (const step of commands) {
          switch (step.do) {
            case "send":
              await queue.send(`${step.id}`, { MessageGroupId: `${step.group}`, MessageDeduplicationId: `${step.id}` });
              model.send(`${step.group}`, `${step.id}`);
              break;
            case "receive":
              handles.push(...(await receive(queue, model, step.max)));
              break;
            case "delete":
              await deleteOne(queue, model, handles[step.pick % handles.length]);
              break;
            case "giveBack":
              await giveBack(queue, model, handles[step.pick % handles.length]);
              break;
            case "wait":
              cloud.advance(step.seconds * 1000);
              model.nowMs += step.seconds * 1000;
              break;
            case "count":
              await count(queue, model);
              break;
            case "restart":
              await (step.killed ? cloud.crash() : cloud.restart());
              await count(queue, model);
              break;
          }
        }
        await count(queue, model);
      }),
      { numRuns: 24, seed: 1 },
    );
    expect(steps).toBeGreaterThan(3_000);
  },
);

async function count(queue: TestQueue, model: Model): Promise<void> {
  const hidden = model.messages.filter((message) => model.isHidden(message)).length;
  expect(await queue.attribute("ApproximateNumberOfMessagesNotVisible")).toBe(`${hidden}`);
  expect(await queue.attribute("ApproximateNumberOfMessages")).toBe(`${model.messages.length - hidden}`);
}

/** Which groups come first is free; within a group, and that nothing is held back, is not. */
async function receive(queue: TestQueue, model: Model, max: number): Promise<string[]> {
  const receivable = model.receivable();
  const expected = Math.min(max, [...receivable.values()].flat().length);
  const messages = await queue.receive({ MaxNumberOfMessages: max, MessageSystemAttributeNames: ["MessageGroupId"] });
  expect(messages).toHaveLength(expected);
  return messages.map(({ Body = "", Attributes, ReceiptHandle = "" }) => {
    const group = Attributes?.MessageGroupId ?? "";
    expect(Body).toBe(receivable.get(group)?.shift());
    const message = model.messages.find(
      (other) => other.body === Body && other.group === group && !model.isHidden(other),
    );
    if (message) message.held = { handle: ReceiptHandle, hiddenUntil: model.nowMs + VISIBILITY_SECONDS * 1000 };
    return ReceiptHandle;
  });
}

async function deleteOne(queue: TestQueue, model: Model, ReceiptHandle: string | undefined): Promise<void> {
  if (ReceiptHandle === undefined) return;
  const id = ReceiptHandle.split(".")[0] ?? "";
  const message = model.messages.find(({ held }) => held?.handle.startsWith(id));
  const deleting = queue.remove({ ReceiptHandle });
  if (message && (message.held?.handle !== ReceiptHandle || !model.isHidden(message))) {
    await expect(deleting).rejects.toMatchObject({ name: "InvalidParameterValue" });
    return;
  }
  await deleting;
  model.messages = model.messages.filter((other) => other !== message);
}

async function giveBack(queue: TestQueue, model: Model, ReceiptHandle: string | undefined): Promise<void> {
  if (ReceiptHandle === undefined) return;
  const message = model.messages.find(({ held }) => held?.handle === ReceiptHandle);
  const input = { QueueUrl: queue.url, ReceiptHandle, VisibilityTimeout: 0 };
  const giving = cloud.sqs.send(new ChangeMessageVisibilityCommand(input));
  if (!message || !model.isHidden(message)) {
    await expect(giving).rejects.toMatchObject({ name: "MessageNotInflight" });
    return;
  }
  await giving;
  if (message.held) message.held.hiddenUntil = model.nowMs;
}
