import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startCloud } from "./server.ts";
import { encodeFrame } from "./store/frame.ts";
import { connect, credentials, region } from "./test-cloud.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "cloud-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

async function writeJournal(format: number, frames: { records: object[]; payload?: Buffer }[]): Promise<void> {
  const header = encodeFrame(0, Buffer.from(JSON.stringify([{ format, kind: "journal" }])), undefined);
  const rest = frames.flatMap(({ records, payload }, index) =>
    encodeFrame(index + 1, Buffer.from(JSON.stringify(records)), payload),
  );
  await writeFile(join(dataDir, "journal-00000001"), Buffer.concat([...header, ...rest]));
}

it("reads what the first format held: buckets and objects, queues and messages", async () => {
  const body = Buffer.from("content");
  const md5 = createHash("md5").update(body).digest("hex");
  const sentAt = Date.now();
  const message = { id: "6f9619ff-8b86-d011-b42d-00c04fc964ff", sequence: 7, sentAt, bodyMd5: md5, bodyBytes: 7 };
  const received = { visibleAt: 0, receives: 0, group: "a", dedupId: "1" };
  const object = { bucket: "bucket", key: "key", size: 7, etag: md5, crc32: crc32(body), modifiedAt: sentAt };
  await writeJournal(1, [
    { records: [{ type: "sqs.queue", name: "q.fifo", attributes: {}, createdAt: sentAt, modifiedAt: sentAt }] },
    { records: [{ type: "s3.bucket", name: "bucket", createdAt: sentAt }] },
    { records: [{ type: "sqs.message", queue: "q.fifo", ...message, ...received }], payload: body },
    { records: [{ type: "s3.object", ...object }], payload: body },
  ]);
  const cloud = await startCloud({ dataDir, credentials, region });
  const clients = connect(cloud.endpoint);
  const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: "bucket", Key: "key" }));
  expect(await Body?.transformToString()).toBe("content");
  const QueueUrl = `${cloud.endpoint}/000000000000/q.fifo`;
  const { Messages } = await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages).toMatchObject([{ Body: "content", MD5OfBody: md5 }]);
  clients.close();
  await cloud.dispose();
});

it("refuses to start with a record that it does not know, rather than without it", async () => {
  await writeJournal(1, [{ records: [{ type: "s3.version", bucket: "bucket" }] }]);
  const starting = startCloud({ dataDir, credentials, region });
  await expect(starting).rejects.toThrow(`${dataDir} holds a record of an unknown kind: s3.version`);
});
