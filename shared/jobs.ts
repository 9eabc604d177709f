/** Bulk work: many messages of one device, one after the other. */

/**
 * queued → processing → completed, or failed when not one item succeeded, or cancelled. `paused` can be resumed. A
 * device's jobs run in the order in which they were made; a paused one lets the next pass.
 */
export const JOB_STATES = ["queued", "processing", "paused", "completed", "failed", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];

/** States in which a job's items are sent. */
export const RUNNING_JOB_STATES: readonly JobState[] = ["queued", "processing"];
export const ENDED_JOB_STATES: readonly JobState[] = ["completed", "failed", "cancelled"];
export const isJobEnded = (state: JobState) => ENDED_JOB_STATES.includes(state);

export const JOB_TYPES = ["send-text", "send-media"] as const;
export type JobType = (typeof JOB_TYPES)[number];

/** Items go on as messages do, in `COMMAND_STATES`; those of a cancelled job that were not begun are `cancelled`. */
export const ITEM_STATES = [
  "queued",
  "sending",
  "unknown",
  "accepted",
  "delivered",
  "read",
  "failed",
  "cancelled",
] as const;
export type ItemState = (typeof ITEM_STATES)[number];

export const MAX_JOB_ITEMS = 10_000;
/** Jobs of a device that have not ended. More are refused: what waits is bounded. */
export const MAX_OPEN_JOBS = 100;
