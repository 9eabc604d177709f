import * as logins from "../shared/db/logins.ts";
import type { Database } from "../shared/db/pool.ts";
import type { Log } from "../shared/log.ts";

/**
 * Who logs in. `urgent`: a person waits for it. `resumed`: it was connected until its host ended, and only goes on; nothing
 * about that is new to WhatsApp. `in line`: any other.
 */
export type LoginEntry = "urgent" | "resumed" | "in line";

/** A place in the line. `hurry`: a person waits now. `leave`: it is not wanted any more; `granted` then resolves too. */
export type LoginTicket = { granted: Promise<void>; hurry: () => void; leave: () => void };

type Options = {
  database: Database;
  /** Between two logins of this host that nobody waits for. */
  staggerMs: number;
  /** Of the whole fleet. */
  loginsPerSecond: number;
  log: Log;
};

/** A person's connect may go so far beyond the fleet's pace, so that a fleet that is restarting does not keep them waiting. */
const URGENT_BURST = 20;
/** As many go on at once after a quiet time: their lines were open a moment ago, and a host that died with them is back. */
const RESUMED_BURST = 50;
/** The fleet's budget is a courtesy to WhatsApp, not a lock: what waited for it so long goes on without. */
const LONGEST_WAIT_MS = 10_000;

/**
 * When devices may log in: many logins at once look like an attack, and WhatsApp ends sessions for it. Those that nobody
 * waits for form one line per host and leave it one by one, those that are resumed first and without a pause between them; a
 * person's own connect goes past the line. All keep to the fleet's pace, which lies in the database.
 */
export class LoginBudget {
  readonly #options: Options;
  readonly #resumed: (() => void)[] = [];
  readonly #line: (() => void)[] = [];
  #isServing = false;

  constructor(options: Options) {
    this.#options = options;
  }

  take(entry: LoginEntry): LoginTicket {
    let grant = () => {};
    const granted = new Promise<void>((resolve) => {
      grant = resolve;
    });
    const line = entry === "resumed" ? this.#resumed : this.#line;
    const leaveLine = () => {
      const place = line.indexOf(grant);
      if (place >= 0) line.splice(place, 1);
      return place >= 0;
    };
    const goPast = () => void this.#awaitFleet(URGENT_BURST).then(grant);
    if (entry === "urgent") goPast();
    else {
      line.push(grant);
      if (!this.#isServing) void this.#serve();
    }
    return {
      granted,
      hurry: () => {
        if (leaveLine()) goPast();
      },
      leave: () => {
        leaveLine();
        grant();
      },
    };
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    while (this.#resumed.length || this.#line.length) {
      await this.#awaitFleet(this.#resumed.length ? RESUMED_BURST : 1);
      const resumed = this.#resumed.shift();
      (resumed ?? this.#line.shift())?.();
      if (!resumed) await pause(this.#options.staggerMs);
    }
    this.#isServing = false;
  }

  async #awaitFleet(burst: number): Promise<void> {
    const { database, loginsPerSecond, log } = this.#options;
    const intervalMs = 1000 / loginsPerSecond;
    const deadline = performance.now() + LONGEST_WAIT_MS;
    try {
      while (!(await logins.take(database, intervalMs, burst)) && performance.now() < deadline) {
        // Hosts that ask in step would be answered in step.
        await pause(intervalMs * (0.5 + Math.random()));
      }
    } catch (err) {
      log.warn({ err }, "the fleet's login budget cannot be asked");
    }
  }
}

const pause = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));
