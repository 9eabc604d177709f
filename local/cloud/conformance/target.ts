import { randomBytes } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";

export type TargetOptions = {
  endpoints: { s3?: string; sqs?: string; scheduler?: string };
  region: string;
  /** Absent: where the SDK looks for them by itself. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
  /** What the schedules of the cases run as. */
  roleArn: string;
};

/** What the cases run against. Everything they make has a name of its own and is removed by `dispose`. */
export type Target = Awaited<ReturnType<typeof openTarget>>;

/** Without an endpoint, a service is that of AWS in the region. Only the SDK and the endpoints are known here. */
export function openTarget({ endpoints, region, credentials, roleArn }: TargetOptions) {
  const config = (endpoint: string | undefined) => ({
    region,
    maxAttempts: 2,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
  });
  const openS3 = (other: Pick<S3ClientConfig, "credentials" | "requestChecksumCalculation"> = {}) =>
    new S3Client({ ...config(endpoints.s3), forcePathStyle: endpoints.s3 !== undefined, ...other });
  const s3 = openS3();
  const sqs = new SQSClient(config(endpoints.sqs));
  const scheduler = new SchedulerClient(config(endpoints.scheduler));
  const cleanUps: (() => Promise<unknown>)[] = [];
  const onDispose = (work: () => Promise<unknown>) => void cleanUps.push(work);
  const unique = (name: string) => `conformance-${name}-${randomBytes(6).toString("hex")}`;

  return {
    s3,
    /** A client of its own, which differs in this. */
    openS3,
    sqs,
    scheduler,
    endpoints,
    roleArn,
    unique,
    /** To be done at the end, the last first; a failure is ignored. */
    onDispose,
    bucket: async (): Promise<string> => {
      const Bucket = unique("bucket");
      const CreateBucketConfiguration = { LocationConstraint: region as "eu-west-1" };
      await s3.send(new CreateBucketCommand({ Bucket, ...(region !== "us-east-1" && { CreateBucketConfiguration }) }));
      onDispose(() => emptyAndDelete(s3, Bucket));
      return Bucket;
    },
    queue: async (kind: "fifo" | "standard", attributes: Record<string, string> = {}) => {
      const QueueName = unique("queue") + (kind === "fifo" ? ".fifo" : "");
      const Attributes = { ...(kind === "fifo" && { FifoQueue: "true" }), ...attributes };
      const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
      onDispose(() => sqs.send(new DeleteQueueCommand({ QueueUrl })));
      const asking = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] });
      return { url: QueueUrl, name: QueueName, arn: (await sqs.send(asking)).Attributes?.QueueArn ?? "" };
    },
    async dispose() {
      for (const work of cleanUps.toReversed()) await work().catch(() => undefined);
      for (const client of [s3, sqs, scheduler]) client.destroy();
    },
  };
}

async function emptyAndDelete(s3: S3Client, Bucket: string): Promise<void> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  for (const { Key } of Contents) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
}
