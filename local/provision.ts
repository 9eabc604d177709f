import { CreateBucketCommand, PutBucketLifecycleConfigurationCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { ConflictException, CreateScheduleGroupCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { WAKE_VISIBILITY_SECONDS } from "../shared/delivery-queue.ts";
import { VISIBILITY_SECONDS } from "../shared/queue.ts";

/** Where the local cloud is, and the one key pair that it accepts. */
export type Aws = { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string };

/** What the processes are told of it. `commandQueueUrls[n]` is the queue of shard n. */
export type Provisioned = {
  stateBucket: string;
  mediaBucket: string;
  commandQueueUrls: string[];
  scheduleGroup: string;
  schedulerRoleArn: string;
  schedulesDeadArn: string;
  deliveryQueueUrl: string;
};

const STATE_BUCKET = "whatsapp-state";
const MEDIA_BUCKET = "whatsapp-media";
const SCHEDULE_GROUP = "messages";
/** The local cloud has no roles: any name of one will do. */
const SCHEDULER_ROLE_ARN = "arn:aws:iam::000000000000:role/scheduler";
/** One machine needs few: enough for several hosts to share. A device keeps the shard that it was created in. */
const SHARDS = 4;
/** The host ends what cannot be run long before; this is for messages that no host understands. */
const MAX_RECEIVES = 100;

/** What a bucket forgets by itself: days by prefix. */
type Expiry = Record<string, number>;
/** Log entries are in a snapshot within the hour; docs/device-state.md says why only they may expire. */
const STATE_EXPIRY: Expiry = { "log/": 30 };
/** An answer is fetched at once or not at all. */
const MEDIA_EXPIRY: Expiry = { "results/": 1, "uploads/": 1, "received/": 30, "media/": 30 };

/** Creates the buckets, the queues and the schedule group where they are missing, and brings the queues' settings up to date. Repeatable. */
export async function provision(aws: Aws): Promise<Provisioned> {
  const { endpoint, region, accessKeyId, secretAccessKey } = aws;
  const client = { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const sqs = new SQSClient(client);
  const scheduler = new SchedulerClient(client);
  try {
    const [commandQueueUrls, deliveryQueueUrl, schedulesDeadArn] = await Promise.all([
      createCommandQueues(sqs),
      createDeliveryQueue(sqs),
      createSchedulesDead(sqs),
      createScheduleGroup(scheduler),
      createBucket(s3, STATE_BUCKET, STATE_EXPIRY),
      createBucket(s3, MEDIA_BUCKET, MEDIA_EXPIRY),
    ]);
    return {
      stateBucket: STATE_BUCKET,
      mediaBucket: MEDIA_BUCKET,
      commandQueueUrls,
      deliveryQueueUrl,
      scheduleGroup: SCHEDULE_GROUP,
      schedulerRoleArn: SCHEDULER_ROLE_ARN,
      schedulesDeadArn,
    };
  } finally {
    s3.destroy();
    sqs.destroy();
    scheduler.destroy();
  }
}

async function createBucket(s3: S3Client, name: string, expiry: Expiry): Promise<void> {
  try {
    await s3.send(new CreateBucketCommand({ Bucket: name }));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "BucketAlreadyOwnedByYou") throw error;
  }
  const Rules = Object.entries(expiry).map(
    ([Prefix, Days]) =>
      ({ ID: Prefix.replace("/", ""), Status: "Enabled", Filter: { Prefix }, Expiration: { Days } }) as const,
  );
  await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket: name, LifecycleConfiguration: { Rules } }));
}

/** Targets of schedules cannot name a deduplication id: it is taken from the content (EventBridge, SqsParameters). */
const FIFO = { ContentBasedDeduplication: "true" };

async function createCommandQueues(sqs: SQSClient): Promise<string[]> {
  const redrive = await createDeadLetters(sqs, "commands-dead.fifo", FIFO);
  const settings = { ...FIFO, VisibilityTimeout: String(VISIBILITY_SECONDS), ...redrive };
  const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
  return Promise.all(shards.map((shard) => createQueue(sqs, `commands-${shard}.fifo`, settings)));
}

async function createDeliveryQueue(sqs: SQSClient): Promise<string> {
  const redrive = await createDeadLetters(sqs, "deliveries-dead", {});
  return await createQueue(sqs, "deliveries", { VisibilityTimeout: String(WAKE_VISIBILITY_SECONDS), ...redrive });
}

/** @returns what another queue's settings say of it */
async function createDeadLetters(sqs: SQSClient, name: string, settings: Record<string, string>) {
  const QueueUrl = await createQueue(sqs, name, settings);
  const redrive = { deadLetterTargetArn: await arnOf(sqs, QueueUrl), maxReceiveCount: MAX_RECEIVES };
  return { RedrivePolicy: JSON.stringify(redrive) };
}

/** Dead letters of schedules cannot go to a FIFO queue (API reference, DeadLetterConfig). */
async function createSchedulesDead(sqs: SQSClient): Promise<string> {
  return await arnOf(sqs, await createQueue(sqs, "schedules-dead", {}));
}

async function arnOf(sqs: SQSClient, QueueUrl: string): Promise<string> {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  if (!Attributes?.QueueArn) throw new Error(`no ARN came for the queue ${QueueUrl}`);
  return Attributes.QueueArn;
}

async function createScheduleGroup(scheduler: SchedulerClient): Promise<void> {
  try {
    await scheduler.send(new CreateScheduleGroupCommand({ Name: SCHEDULE_GROUP }));
  } catch (error) {
    if (!(error instanceof ConflictException)) throw error;
  }
}

async function createQueue(sqs: SQSClient, name: string, settings: Record<string, string>): Promise<string> {
  // A queue that exists with other settings refuses to be created again: only what never changes is said here.
  const kind = name.endsWith(".fifo") ? { Attributes: { FifoQueue: "true" } } : {};
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, ...kind }));
  if (!QueueUrl) throw new Error(`no URL came for the queue ${name}`);
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: settings }));
  return QueueUrl;
}
