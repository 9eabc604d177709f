import fc from "fast-check";
import { expect, it } from "vitest";
import type { CloudRecord } from "./records.ts";
import { Buckets } from "./s3/buckets.ts";
import type { S3Record } from "./s3/records.ts";
import { Schedules } from "./scheduler/schedules.ts";
import type { SchedulerRecord, StoredSchedule } from "./scheduler/records.ts";
import { Queues } from "./sqs/queues.ts";
import type { SqsRecord } from "./sqs/records.ts";
import type { PayloadLocation } from "./store/data-file.ts";

const NOW = 1_800_000_000_000;
const now = () => NOW;
const payload = (offset: number): PayloadLocation => ({ file: undefined as never, offset, length: 1 });

/** The whole state of a cloud, without its files. */
function openState() {
  const queues = new Queues(now);
  const buckets = new Buckets(now, () => undefined);
  const schedules = new Schedules(now, "second");
  let offset = 0;
  const apply = (record: CloudRecord, location = payload((offset += 1))) => {
    if (record.type.startsWith("s3.")) buckets.apply(record as S3Record, location);
    else if (record.type.startsWith("sqs.")) queues.apply(record as SqsRecord, location);
    else schedules.apply(record as SchedulerRecord, location);
  };
  apply({ type: "sqs.queue", name: "q.fifo", attributes: {}, createdAt: 1, modifiedAt: 1 });
  apply({ type: "sqs.queue", name: "dead.fifo", attributes: {}, createdAt: 1, modifiedAt: 1 });
  apply({ type: "s3.bucket", name: "b", createdAt: 1 });
  return { apply, capture: () => [queues.capture(), buckets.capture(), schedules.capture()] };
}

type Capture = ReturnType<ReturnType<typeof openState>["capture"]>;
const written = (capture: Capture) =>
  capture.flatMap((part) => [...part].map(({ record, payload }) => JSON.stringify([record, payload?.offset])));

const schedule = (name: string, at: number): StoredSchedule => ({
  group: "default",
  name,
  createdAt: 1,
  modifiedAt: 1,
  anchor: 1,
  nextAt: NOW + at,
  definition: {
    expression: "rate(1 minutes)",
    zone: "UTC",
    state: "ENABLED",
    windowMinutes: 0,
    afterCompletion: "NONE",
    target: { arn: "a", roleArn: "r", maximumAgeSeconds: 60, maximumRetries: 1 },
  },
});

/** One of few things, at one of few times: most records meet something that is there. */
const change = fc.tuple(fc.nat(5), fc.nat(3), fc.nat(12)).map(([n, at, kind]): CloudRecord => {
  const id = `m-${n}`;
  const facts = { etag: "e", crc32: 1, modifiedAt: NOW };
  const message = { id, sequence: n + 1, sentAt: NOW, bodyBytes: 1, visibleAt: NOW + at, receives: 0 };
  const retry = { failures: at, firstAttemptAt: NOW, retryAt: NOW + at };
  const completed = { key: `k-${n}`, request: "r", ...facts };
  const records: CloudRecord[] = [
    { type: "sqs.message", queue: "q.fifo", ...message, group: "g", dedupId: id },
    { type: "sqs.dedup", queue: "q.fifo", key: id, id, sequence: n, until: NOW + 1 + at },
    { type: "sqs.visibility", queue: "q.fifo", id, visibleAt: NOW + at, receives: at, receipt: `r-${at}` },
    { type: "sqs.deleted", queue: "q.fifo", ids: [id] },
    { type: "sqs.moved", queue: "q.fifo", id, to: "dead.fifo", sequence: 10 + n, sentAt: NOW, source: "s" },
    { type: "s3.object", bucket: "b", key: `k-${n}`, size: at, ...facts },
    { type: "s3.objectDeleted", bucket: "b", key: `k-${n}` },
    { type: "s3.upload", bucket: "b", upload: `u-${n}`, key: `k-${n}`, startedAt: NOW },
    { type: "s3.part", bucket: "b", upload: `u-${n}`, number: at + 1, size: at, blob: `${n}-${at}`, ...facts },
    { type: "s3.uploadEnded", bucket: "b", upload: `u-${n}`, completed },
    { type: "scheduler.schedule", ...schedule(id, at) },
    { type: "scheduler.failed", group: "default", name: id, retry },
    { type: "scheduler.advanced", group: "default", name: id, nextAt: NOW + 100 + at },
  ];
  return records[kind] ?? { type: "scheduler.deleted", group: "default", name: id };
});

it("a capture is what was true when it was taken, whatever changes while it is written, and makes the same again", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), fc.array(change, { maxLength: 30 }), (before, after) => {
      const state = openState();
      for (const record of before) state.apply(record);
      const expected = written(state.capture());
      const capture = state.capture();
      for (const record of after) state.apply(record);
      expect(written(capture)).toEqual(expected);

      const again = openState();
      for (const line of expected) {
        const [record, offset] = JSON.parse(line) as [CloudRecord, number | undefined];
        again.apply(record, offset === undefined || offset === null ? undefined : payload(offset));
      }
      expect(written(again.capture()).map(withoutPlace)).toEqual(expected.map(withoutPlace));
    }),
    { numRuns: 500, seed: 1 },
  );
});

/** Where the payload lies is not compared of records that have none: replayed, they are given some place. */
function withoutPlace(line: string): string {
  return JSON.stringify((JSON.parse(line) as unknown[])[0]);
}
