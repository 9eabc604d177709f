import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStorage } from "../storage.ts";
import { forkReady } from "./fork-ready.ts";

const BUCKET = "device-state";

/** An empty bucket of the local cloud, which runs as a process of its own; the SDK's variables are set to find it. */
export async function startTestBucket() {
  const dataDir = await mkdtemp(join(tmpdir(), "bucket-"));
  // oxlint-disable-next-line node/no-process-env -- it is from there that the SDK takes what it needs
  const environment = process.env;
  environment["AWS_REGION"] = "us-east-1";
  environment["AWS_ACCESS_KEY_ID"] = "test-key";
  environment["AWS_SECRET_ACCESS_KEY"] = "test-secret-of-16";
  const cloud = await forkReady<{ endpoint: string }>("local/cloud/main.ts", ["--data", dataDir]);
  environment["AWS_ENDPOINT_URL_S3"] = cloud.ready.endpoint;
  const client = new S3Client({ forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
  const storage = openStorage(BUCKET);
  return {
    storage,
    async end(): Promise<void> {
      storage.close();
      await cloud.end();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
