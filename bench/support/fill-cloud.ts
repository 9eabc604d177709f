import { randomUUID } from "node:crypto";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { CreateScheduleCommand } from "@aws-sdk/client-scheduler";
import { CreateQueueCommand, SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import type { CloudClients } from "../../local/cloud/test-cloud.ts";
import { inParallel } from "./in-parallel.ts";

/** What a local cloud with a lot in it holds. */
export const MUCH = { messages: 100_000, groups: 1_000, objects: 20_000, schedules: 10_000 };

export function createQueue({ sqs }: CloudClients) {
  const Attributes = { FifoQueue: "true", ContentBasedDeduplication: "true" };
  return sqs.send(new CreateQueueCommand({ QueueName: "bench.fifo", Attributes }));
}

/** Puts `MUCH` into the queue `bench.fifo`, the bucket `bench` and the default group of schedules. */
export async function fillCloud(clients: CloudClients, endpoint: string): Promise<void> {
  const { sqs, s3, scheduler } = clients;
  await createQueue(clients);
  const QueueUrl = `${endpoint}/000000000000/bench.fifo`;
  await inParallel(MUCH.messages / 10, 16, async (batch) => {
    const Entries = Array.from({ length: 10 }, (_, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify({ id: randomUUID(), text: "x".repeat(300) }),
      MessageGroupId: `group-${(batch * 10 + index) % MUCH.groups}`,
    }));
    await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  });
  await s3.send(new CreateBucketCommand({ Bucket: "bench" }));
  await inParallel(MUCH.objects, 16, (index) => {
    const Key = `devices/${index % 100}/log/${String(index).padStart(10, "0")}`;
    return s3.send(new PutObjectCommand({ Bucket: "bench", Key, Body: "x".repeat(400) }));
  });
  const Target = {
    Arn: "arn:aws:sqs:us-east-1:000000000000:bench.fifo",
    RoleArn: "arn:aws:iam::000000000000:role/scheduler",
    SqsParameters: { MessageGroupId: "schedules" },
  };
  await inParallel(MUCH.schedules, 16, (index) =>
    scheduler.send(
      new CreateScheduleCommand({
        Name: `schedule-${index}`,
        ScheduleExpression: "at(2030-01-01T08:00:00)",
        ScheduleExpressionTimezone: "Asia/Jakarta",
        FlexibleTimeWindow: { Mode: "OFF" },
        ActionAfterCompletion: "DELETE",
        Target: { ...Target, Input: JSON.stringify({ id: randomUUID() }) },
      }),
    ),
  );
}
