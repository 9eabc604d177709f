import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { expect, it } from "vitest";
import { LARGEST_INLINE_BYTES } from "./s3/receive-content.ts";
import { connect } from "./test-cloud.ts";
import { startCloudProcess } from "./test-process.ts";

const ROUNDS = 3;
const ROUND_MS = 1_200;
const GROUPS = ["a", "b", "c", "d"];
const KEYS = ["one", "two", "three", "four"];
const Bucket = "bucket";
/** Some of them larger than what the journal takes. */
const SIZES = [10, 400, 9_000, 40_000];

type Clients = ReturnType<typeof connect>;

/** What clients know of a FIFO group: which of its messages were acknowledged, by number. */
type GroupFacts = { sent: number; asked: number; removed: Set<number>; mayBeRemoved: Set<number>; seen: number };
/** What a client knows of a key: its last acknowledged value, and the one that was asked for after it. */
type KeyFacts = { acknowledged: number | undefined; asked: number | undefined; turn: number };

it("kill -9 under load loses nothing that was acknowledged, and brings nothing back", { timeout: 60_000 }, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "cloud-"));
  const groups = new Map<string, GroupFacts>(
    GROUPS.map((group) => [group, { sent: 0, asked: 0, removed: new Set(), mayBeRemoved: new Set(), seen: 0 }]),
  );
  const keys = new Map<string, KeyFacts>(
    KEYS.map((key) => [key, { acknowledged: undefined, asked: undefined, turn: 0 }]),
  );
  let cloud = await startCloudProcess(dataDir);
  const endpoint = cloud.endpoint ?? "";
  const clients = connect(endpoint);
  const Attributes = { FifoQueue: "true" };
  const { QueueUrl = "" } = await clients.sqs.send(new CreateQueueCommand({ QueueName: "crash.fifo", Attributes }));
  await clients.s3.send(new CreateBucketCommand({ Bucket }));

  for (let round = 0; round < ROUNDS; round += 1) {
    const alive = { current: true };
    const work = [
      ...[...groups].map(([group, facts]) => until(alive, () => sendNext(clients, QueueUrl, group, facts))),
      ...[1, 2].map(() => until(alive, () => receiveAndRemove(clients, QueueUrl, groups))),
      ...[...keys].map(([key, facts]) => until(alive, () => writeNext(clients, key, facts))),
    ];
    await sleep(ROUND_MS);
    alive.current = false;
    await cloud.stop("SIGKILL");
    await Promise.all(work);
    cloud = await startCloudProcess(dataDir, Number(new URL(endpoint).port));
    expect(cloud.endpoint).toBe(endpoint);
    for (const [key, facts] of keys) await checkKey(clients, key, facts);
    await checkBlobs(clients, dataDir);
  }

  const undelivered = () => [...groups.values()].some((facts) => numbersLeft(facts).length > 0);
  while (undelivered()) await receiveAndRemove(clients, QueueUrl, groups);
  const sent = [...groups.values()].reduce((sum, facts) => sum + facts.sent, 0);
  const written = [...keys.values()].reduce((sum, { turn }) => sum + turn, 0);
  expect(sent).toBeGreaterThan(50);
  expect(written).toBeGreaterThan(50);
  clients.close();
  await cloud.stop("SIGTERM");
  await rm(dataDir, { recursive: true });
});

/** Repeats the work until the cloud is killed; only its death may make it fail. */
async function until(alive: { current: boolean }, work: () => Promise<void>): Promise<void> {
  while (alive.current) {
    try {
      await work();
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      await sleep(20);
    }
  }
}

function isConnectionError(error: unknown): boolean {
  return (
    error instanceof Error &&
    /ECONN|socket hang up|EPIPE|aborted/.test(`${error.message} ${(error as { code?: string }).code}`)
  );
}

/** The same number again until it is acknowledged: deduplication makes one message of it. */
async function sendNext({ sqs }: Clients, QueueUrl: string, group: string, facts: GroupFacts): Promise<void> {
  const number = facts.sent + 1;
  facts.asked = number;
  const MessageBody = `${number} ${"x".repeat(SIZES[number % SIZES.length] ?? 0)}`;
  const ids = { MessageGroupId: group, MessageDeduplicationId: `${group}-${number}` };
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...ids }));
  facts.sent = number;
}

async function receiveAndRemove({ sqs }: Clients, QueueUrl: string, groups: Map<string, GroupFacts>): Promise<void> {
  const input = { QueueUrl, MaxNumberOfMessages: 3, WaitTimeSeconds: 1, VisibilityTimeout: 1 };
  const MessageSystemAttributeNames = ["MessageGroupId" as const];
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ ...input, MessageSystemAttributeNames }));
  const received = Messages.map(({ Body, Attributes, ReceiptHandle }) => {
    const facts = groups.get(Attributes?.MessageGroupId ?? "");
    if (!facts) throw new Error("a message of no group");
    return { number: Number.parseInt(Body ?? "", 10), size: Body?.length, facts, ReceiptHandle };
  });
  for (const [index, { number, size, facts }] of received.entries()) {
    expect(facts.removed).not.toContain(number);
    expect(number).toBeLessThanOrEqual(facts.asked);
    expect(size).toBe(`${number} `.length + (SIZES[number % SIZES.length] ?? 0));
    // Everything before it is removed, or came just before it.
    const earlier = received.slice(0, index).flatMap((other) => (other.facts === facts ? other.number : []));
    const missing = numbersLeft(facts).filter((left) => left < number && !earlier.includes(left));
    expect(missing).toEqual([]);
    expect(earlier.every((before) => before < number)).toBe(true);
    facts.seen += 1;
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
}

/** The acknowledged messages that must still be there. */
function numbersLeft({ sent, removed, mayBeRemoved }: GroupFacts): number[] {
  const all = Array.from({ length: sent }, (_, index) => index + 1);
  return all.filter((number) => !removed.has(number) && !mayBeRemoved.has(number));
}

/** Two puts, then a deletion, and so on. */
async function writeNext({ s3 }: Clients, Key: string, facts: KeyFacts): Promise<void> {
  const turn = facts.turn + 1;
  const value = turn % 3 === 0 ? undefined : turn;
  facts.asked = value;
  facts.turn = turn;
  if (value === undefined) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  else await s3.send(new PutObjectCommand({ Bucket, Key, Body: contentOf(value) }));
  facts.acknowledged = value;
}

function contentOf(value: number): string {
  return `${value} `.padEnd(SIZES[value % SIZES.length] ?? 0, "x");
}

async function checkKey({ s3 }: Clients, Key: string, facts: KeyFacts): Promise<void> {
  const allowed = [facts.acknowledged, facts.asked].map((value) => value && contentOf(value));
  let content: string | undefined;
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    content = await Body?.transformToString();
  } catch (error) {
    expect(error).toMatchObject({ name: "NoSuchKey" });
  }
  expect(allowed).toContain(content);
}

/** Each large object has its file, and there is no other. */
async function checkBlobs({ s3 }: Clients, dataDir: string): Promise<void> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const large = Contents.filter(({ Size = 0 }) => Size > LARGEST_INLINE_BYTES);
  expect(await readdir(join(dataDir, "blobs"))).toHaveLength(large.length);
}
