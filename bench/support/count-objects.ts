import { paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import type { Aws } from "../../local/provision.ts";

/** How many objects of a bucket have a key that begins so. */
export async function countObjects(aws: Aws, bucket: string, prefix: string): Promise<number> {
  const { endpoint, region, ...credentials } = aws;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  try {
    let count = 0;
    for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
      count += page.KeyCount ?? 0;
    }
    return count;
  } finally {
    client.destroy();
  }
}
