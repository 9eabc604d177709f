import assert from "node:assert/strict";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  NoSuchKey,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { CompletedPart } from "@aws-sdk/client-s3";
import type { CloudClients } from "../test-cloud.ts";
import type { SoakPart } from "./soak-part.ts";

const Bucket = "soak-uploads";
const LARGE = Buffer.alloc(5 * 1024 * 1024, "large part ");

/**
 * One client that uploads in parts, step by step, and goes on after each restart with what it was told: an acknowledged
 * part is listed, a completed upload is an object, an aborted one is gone. Completed objects are copied, then deleted.
 */
export async function startUploadPart({ s3 }: CloudClients): Promise<SoakPart> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  let number = 0;
  let done = 0;
  let upload: { Key: string; UploadId: string; parts: CompletedPart[] } | undefined;
  /** The last completed object; its copy, once that was acknowledged. Undefined as soon as its deletion was asked for. */
  let kept: { key: string; copied: boolean } | undefined;
  let removed: string | undefined;

  const step = async () => {
    if (!upload) {
      number += 1;
      const Key = `key-${number}`;
      const { UploadId = "" } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      upload = { Key, UploadId, parts: [] };
      return;
    }
    const { Key, UploadId, parts } = upload;
    if (parts.length < 2) {
      const PartNumber = parts.length + 1;
      const Body = PartNumber === 1 ? LARGE : Buffer.from(Key);
      const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
      parts.push({ PartNumber, ETag });
      return;
    }
    if (kept) await removeKept(kept);
    // What has no answer may or may not have happened: there is nothing to expect of it.
    upload = undefined;
    if (number % 3 === 0) {
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      done += 1;
      return;
    }
    const MultipartUpload = { Parts: parts };
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
    kept = { key: Key, copied: false };
    done += 1;
    await s3.send(new CopyObjectCommand({ Bucket, Key: `${Key}-copy`, CopySource: `${Bucket}/${Key}` }));
    kept.copied = true;
  };
  const removeKept = async ({ key }: { key: string }) => {
    kept = undefined;
    await s3.send(new DeleteObjectCommand({ Bucket, Key: `${key}-copy` }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: key }));
    removed = key;
  };
  const checkObject = async (Key: string, expected: Buffer) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    assert(expected.equals((await Body?.transformToByteArray()) ?? new Uint8Array()), `${Key} has other content`);
  };

  return {
    name: "uploads",
    workers: [step],
    check: async () => {
      if (upload) {
        const { Key, UploadId } = upload;
        const { Parts = [] } = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId }));
        for (const { PartNumber, ETag } of upload.parts) {
          assert(
            Parts.some((part) => part.PartNumber === PartNumber && part.ETag === ETag),
            "a part is gone",
          );
        }
      }
      if (kept) {
        const content = Buffer.concat([LARGE, Buffer.from(kept.key)]);
        await checkObject(kept.key, content);
        if (kept.copied) await checkObject(`${kept.key}-copy`, content);
      }
      if (removed) await assert.rejects(s3.send(new GetObjectCommand({ Bucket, Key: removed })), NoSuchKey);
      // Uploads whose end has no answer are the only others that may be there.
      const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
      for (const { Key, UploadId } of Uploads) {
        if (UploadId !== upload?.UploadId) await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      }
    },
    finish: async () => undefined,
    counts: () => ({ uploadsEnded: done }),
  };
}
