import type { S3Record } from "./s3/records.ts";
import type { SchedulerRecord } from "./scheduler/records.ts";
import type { SqsRecord } from "./sqs/records.ts";

export type CloudRecord = SqsRecord | S3Record | SchedulerRecord;

/**
 * All kinds of records, each with the format of the data directory in which it came, or in which it last changed in a way
 * that earlier programs would misread. A directory of a later format is refused, one of an earlier format is read.
 */
export const RECORD_KINDS: Record<CloudRecord["type"], number> = {
  "s3.bucket": 1,
  "s3.bucketDeleted": 1,
  "s3.object": 2,
  "s3.objectDeleted": 1,
  "s3.lifecycle": 2,
  "s3.upload": 2,
  "s3.part": 2,
  "s3.uploadEnded": 2,
  "sqs.queue": 1,
  "sqs.queueDeleted": 1,
  "sqs.purged": 1,
  "sqs.message": 2,
  "sqs.dedup": 1,
  "sqs.visibility": 1,
  "sqs.deleted": 1,
  "sqs.moved": 2,
  "sqs.attempt": 2,
  "sqs.tags": 2,
  "sqs.moveTask": 2,
  "sqs.sequence": 1,
  "scheduler.group": 2,
  "scheduler.groupDeleted": 2,
  "scheduler.schedule": 2,
  "scheduler.deleted": 2,
  "scheduler.advanced": 2,
  "scheduler.failed": 2,
  "scheduler.token": 2,
};

/** Of the files that this version writes. */
export const FORMAT = Math.max(...Object.values(RECORD_KINDS));
