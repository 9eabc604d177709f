import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import type { ListObjectsV2CommandInput, PutObjectCommandInput } from "@aws-sdk/client-s3";
import type { TestCloud } from "../test-cloud.ts";

let created = 0;

/** A new bucket and the verbs that tests use most. */
export async function createTestBucket(cloud: TestCloud) {
  created += 1;
  const Bucket = `bucket-${created}`;
  await cloud.s3.send(new CreateBucketCommand({ Bucket }));
  return {
    name: Bucket,
    put: (Key: string, Body: NonNullable<PutObjectCommandInput["Body"]>, input: Partial<PutObjectCommandInput> = {}) =>
      cloud.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...input })),
    get: async (Key: string) => {
      const { Body } = await cloud.s3.send(new GetObjectCommand({ Bucket, Key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    list: (input: Partial<ListObjectsV2CommandInput> = {}) =>
      cloud.s3.send(new ListObjectsV2Command({ Bucket, ...input })),
    keys: async (input: Partial<ListObjectsV2CommandInput> = {}) => {
      const { Contents } = await cloud.s3.send(new ListObjectsV2Command({ Bucket, ...input }));
      return (Contents ?? []).map(({ Key }) => Key);
    },
  };
}
