import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { createTestBucket } from "./test-bucket.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

const KEYS = ["a", "a/b", "a/c", "../a", "ä", "😀", "b"];
/** Empty, inline, just above what is inline. */
const SIZES = [0, 10, 3_000, 17_000];
const contentOf = (seed: number) =>
  `${seed} `.repeat(SIZES[seed % SIZES.length] ?? 0).slice(0, SIZES[seed % SIZES.length]);
const etagOf = (content: string) => `"${createHash("md5").update(content).digest("hex")}"`;

const key = fc.constantFrom(...KEYS);
const command = fc.oneof(
  {
    weight: 15,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      key,
      seed: fc.nat(40),
      condition: fc.constantFrom("none", "none", "absent", "current", "stale"),
    }),
  },
  { weight: 9, arbitrary: fc.record({ do: fc.constant("get" as const), key, from: fc.nat(20), length: fc.nat(20) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("copy" as const), key, to: key }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("delete" as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("deleteMany" as const), keys: fc.uniqueArray(key) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("upload" as const), key, seed: fc.nat(40), completed: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("list" as const), prefix: fc.constantFrom("", "a", "a/", "x") }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const), killed: fc.boolean() }) },
);

it(
  "does what a plain map does, whatever is written, copied, deleted, and over restarts",
  { timeout: 120_000 },
  async () => {
    let steps = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 120, maxLength: 200 }), async (commands) => {
        const bucket = await createTestBucket(cloud);
        const Bucket = bucket.name;
        /** Content and ETag by key. */
        const model = new Map<string, { content: string; etag: string }>();
        const outcome = (call: Promise<unknown>) =>
          call.then(
            () => "done",
            (error: Error) => error.name,
          );
        steps += commands.length;
        for (const step of commands) {
          switch (step.do) {
            case "put": {
              const current = model.get(step.key);
              const content = contentOf(step.seed);
              const conditions = {
                none: {},
                absent: { IfNoneMatch: "*" },
                current: { IfMatch: current?.etag ?? '"none"' },
                stale: { IfMatch: '"stale"' },
              }[step.condition];
              let expected = "done";
              if (step.condition === "absent" && current) expected = "PreconditionFailed";
              if (step.condition === "stale" && current) expected = "PreconditionFailed";
              if ((step.condition === "stale" || step.condition === "current") && !current) expected = "NoSuchKey";
              expect(await outcome(bucket.put(step.key, Buffer.from(content), conditions))).toBe(expected);
              if (expected === "done") model.set(step.key, { content, etag: etagOf(content) });
              break;
            }
            case "get": {
              const { content } = model.get(step.key) ?? {};
              const Range = `bytes=${step.from}-${step.from + step.length}`;
              const getting = cloud.s3.send(new GetObjectCommand({ Bucket, Key: step.key, Range }));
              if (content === undefined) expect(await outcome(getting)).toBe("NoSuchKey");
              else if (step.from >= content.length) expect(await outcome(getting)).toBe("InvalidRange");
              else {
                const { Body } = await getting;
                expect(await Body?.transformToString()).toBe(content.slice(step.from, step.from + step.length + 1));
              }
              break;
            }
            case "copy": {
              const source = model.get(step.key);
              const CopySource = `${Bucket}/${encodeURIComponent(step.key)}`;
              const copying = cloud.s3.send(new CopyObjectCommand({ Bucket, Key: step.to, CopySource }));
              const itself = step.key === step.to;
              expect(await outcome(copying)).toBe(itself ? "InvalidRequest" : source ? "done" : "NoSuchKey");
              if (source && !itself) model.set(step.to, { content: source.content, etag: etagOf(source.content) });
              break;
            }
            case "delete":
              await cloud.s3.send(new DeleteObjectCommand({ Bucket, Key: step.key }));
              model.delete(step.key);
              break;
            case "deleteMany": {
              if (step.keys.length === 0) break;
              const Objects = step.keys.map((Key) => ({ Key }));
              await cloud.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
              for (const each of step.keys) model.delete(each);
              break;
            }
            case "upload": {
              const content = contentOf(step.seed);
              const { UploadId } = await cloud.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: step.key }));
              const upload = { Bucket, Key: step.key, UploadId };
              const { ETag } = await cloud.s3.send(
                new UploadPartCommand({ ...upload, PartNumber: 1, Body: Buffer.from(content) }),
              );
              if (!step.completed) {
                await cloud.s3.send(new AbortMultipartUploadCommand(upload));
                break;
              }
              const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
              const done = await cloud.s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
              model.set(step.key, { content, etag: done.ETag ?? "" });
              break;
            }
            case "list": {
              const expected = [...model.keys()].filter((name) => name.startsWith(step.prefix));
              const sorted = expected.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
              const { Contents = [] } = await bucket.list({ Prefix: step.prefix });
              expect(Contents.map(({ Key, ETag, Size }) => [Key, ETag, Size])).toEqual(
                sorted.map((name) => [name, model.get(name)?.etag, Buffer.byteLength(model.get(name)?.content ?? "")]),
              );
              break;
            }
            case "restart":
              await (step.killed ? cloud.crash() : cloud.restart());
              break;
          }
        }
        for (const [name, { content }] of model) expect((await bucket.get(name)).toString()).toBe(content);
        expect((await bucket.keys()).length).toBe(model.size);
      }),
      { numRuns: 24, seed: 1 },
    );
    expect(steps).toBeGreaterThan(3_000);
  },
);
