/** What the journal holds of the Scheduler. Times are Unix milliseconds. */
export type SchedulerRecord =
  | { type: "scheduler.group"; name: string; createdAt: number }
  /** With all schedules of the group. */
  | { type: "scheduler.groupDeleted"; name: string }
  /** Created or updated. The transaction's payload is `Target.Input`; none if there is no input. */
  | ({ type: "scheduler.schedule" } & StoredSchedule)
  | ({ type: "scheduler.deleted" } & ScheduleId)
  /** The target was invoked or given up for this time; without `nextAt` the schedule is completed. */
  | ({ type: "scheduler.advanced"; nextAt?: number } & ScheduleId)
  /** The target could not be invoked for this time; it is to be tried again. */
  | ({ type: "scheduler.failed"; retry: Retry } & ScheduleId)
  /** Until then, a request with this token has been done; `request` is the hash of what it asked for. */
  | { type: "scheduler.token"; token: string; request: string; until: number };

export type ScheduleId = { group: string; name: string };

/** An invocation that failed and is to be tried again. */
export type Retry = { failures: number; firstAttemptAt: number; retryAt: number };

export type StoredSchedule = ScheduleId & {
  definition: ScheduleDefinition;
  createdAt: number;
  modifiedAt: number;
  /** A rate counts from here. */
  anchor: number;
  /** The time of the next invocation as the expression says; absent when there is none left. */
  nextAt?: number | undefined;
  retry?: Retry | undefined;
};

/** What the client asked for, with the defaults filled in, but for the input. */
export type ScheduleDefinition = {
  expression: string;
  zone: string;
  state: "ENABLED" | "DISABLED";
  /** 0: no flexible time window. */
  windowMinutes: number;
  afterCompletion: "NONE" | "DELETE";
  startAt?: number;
  endAt?: number;
  description?: string;
  kmsKeyArn?: string;
  target: {
    arn: string;
    roleArn: string;
    messageGroupId?: string;
    deadLetterArn?: string;
    maximumAgeSeconds: number;
    maximumRetries: number;
  };
};
