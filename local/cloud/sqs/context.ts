import type { Transaction } from "../store/journal.ts";
import type { Input } from "./input.ts";
import type { Queue } from "./queue.ts";
import type { Queues } from "./queues.ts";
import type { SqsRecord } from "./records.ts";

/** What the actions work on. */
export type SqsContext = {
  queues: Queues;
  commit: (transaction: Transaction<SqsRecord>) => Promise<void>;
  now: () => number;
  region: string;
};

/** One request. `host` is what the client called us; `gone` is given when it hangs up or the cloud stops. */
type Call = { input: Input; host: string; gone: AbortSignal };

/** `unsent` takes the effect back when the output could not be sent. */
export type Answer = { output: object; unsent?: () => Promise<void> };

/** `startMoving` sees to a move task of this queue that has begun. */
export type ServingContext = SqsContext & { startMoving: (queue: Queue) => void };

export type Action = (context: ServingContext, call: Call) => Promise<Answer>;
