/** Moving the messages of a dead-letter queue to another queue or back to where they came from. */
export type MoveTask = {
  handle: string;
  startedAt: number;
  /** Name of the queue they go to; absent: each goes back to its source. */
  destination?: string;
  /** Absent: as fast as it goes. */
  messagesPerSecond?: number;
  toMove: number;
  moved: number;
  status: "RUNNING" | "COMPLETED" | "CANCELLED" | "FAILED";
  failureReason?: string;
};
