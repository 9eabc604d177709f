import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
} from "@aws-sdk/client-s3";
import { LARGEST_INLINE_BYTES } from "../s3/content.ts";
import type { CloudClients } from "../test-cloud.ts";

/** Asserts that each large object and each part of an upload has its file, and that there is no other file. */
export async function checkBlobs({ s3 }: CloudClients, dataDir: string): Promise<void> {
  let expected = 0;
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  for (const { Name: Bucket } of Buckets) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    expected += Contents.filter(({ Size = 0 }) => Size > LARGEST_INLINE_BYTES).length;
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    for (const { Key, UploadId } of Uploads) {
      expected += (await s3.send(new ListPartsCommand({ Bucket, Key, UploadId }))).Parts?.length ?? 0;
    }
  }
  assert.equal((await readdir(join(dataDir, "blobs"))).length, expected);
}
