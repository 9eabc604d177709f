import type { Transaction } from "../store/journal.ts";
import type { SqsRecord } from "../sqs/records.ts";
import type { Queues } from "../sqs/queues.ts";
import type { KeyLocks } from "../key-locks.ts";
import type { Input } from "../sqs/input.ts";
import type { SchedulerRecord } from "./records.ts";
import type { Schedules } from "./schedules.ts";

/** What the actions and the clockwork work on. */
export type SchedulerContext = {
  schedules: Schedules;
  queues: Queues;
  /** Takes what changes one schedule, by `group/name`, in turn. */
  locks: KeyLocks;
  commit: (transaction: Transaction<SchedulerRecord | SqsRecord>) => Promise<void>;
  now: () => number;
  region: string;
};

/** One request: what stands behind the resource in its path ("" for a list), its body, and its query. */
export type SchedulerCall = { name: string; input: Input; query: ReadonlyMap<string, string> };

export type SchedulerAction = (context: SchedulerContext, call: SchedulerCall) => Promise<object>;
