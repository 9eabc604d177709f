import { metrics } from "../metrics.ts";
import type { Appended } from "./log.ts";
import { StateFailure } from "./state-failure.ts";

type Waiting = { seq: number; resolve: () => void; reject: (failure: StateFailure) => void };

export type CommitOptions = {
  /** Makes these records durable as they are when it is called, and calls back nothing. */
  append: (names: string[]) => Promise<Appended>;
  /** Called with the names of an append that has just become durable. */
  onAppended: (names: string[]) => void;
};

/** What may wait for others to share its append waits so long: a receipt's acknowledgement does, and nobody sees it. */
const SHARED_WAIT_MS = 40;

/**
 * Which writes are durable. Records are marked dirty; one append at a time takes all of them. It begins in a macrotask:
 * whatever follows a write in microtasks (above all, the plaintext that belongs to a ratchet step of libsignal) is in
 * memory before the append looks, and so in the same entry.
 */
export class GroupCommit {
  /** The number of the newest write. */
  seq = 0;
  durableSeq = 0;
  failed: StateFailure | undefined;
  readonly onDurable = new Set<() => void>();
  /** How many appends have begun. */
  appends = 0;

  readonly #options: CommitOptions;
  #dirty = new Set<string>();
  #dirtyBytes = 0;
  #bytesInFlight = 0;
  #isScheduled = false;
  /** The newest write that does not wait for others, and the timer of those that do. */
  #urgentSeq = 0;
  #sharedTimer: NodeJS.Timeout | undefined;
  #isAppending = false;
  #waiting: Waiting[] = [];

  constructor(options: CommitOptions) {
    this.#options = options;
  }

  get backlogBytes(): number {
    return this.#dirtyBytes + this.#bytesInFlight;
  }

  /** The record is stored with the next append; by itself this causes none. `bytes` is about its size. */
  touch(name: string, bytes: number): void {
    this.#dirty.add(name);
    this.#dirtyBytes += name.length + bytes;
  }

  /** What was touched is a write: from now on it is waited for, and an append begins soon. */
  advance(): void {
    this.seq += 1;
    this.#urgentSeq = this.seq;
    this.#schedule();
  }

  /** As `advance`, but its append begins a little later, unless another one begins before. */
  advanceSoon(): void {
    this.seq += 1;
    this.#scheduleSoon();
  }

  /** Also what was only touched becomes a write. */
  advanceIfDirty(): void {
    if (this.#dirty.size) this.advance();
  }

  /** Resolves when every write so far is durable; rejects with `StateFailure`. */
  durable(): Promise<void> {
    if (this.failed) return Promise.reject(this.failed);
    if (this.durableSeq >= this.seq) return Promise.resolve();
    this.#urgentSeq = this.seq;
    this.#schedule();
    return new Promise((resolve, reject) => this.#waiting.push({ seq: this.seq, resolve, reject }));
  }

  fail(failure: StateFailure): void {
    if (this.failed) return;
    this.failed = failure;
    clearTimeout(this.#sharedTimer);
    for (const { reject } of this.#waiting.splice(0)) reject(failure);
    this.#tell();
  }

  #scheduleSoon(): void {
    if (this.#isScheduled || this.#isAppending || this.failed) return;
    this.#sharedTimer ??= setTimeout(() => this.#schedule(), SHARED_WAIT_MS);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isAppending || this.failed) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#append();
    });
  }

  async #append(): Promise<void> {
    clearTimeout(this.#sharedTimer);
    this.#sharedTimer = undefined;
    if (this.failed) return;
    const taken = this.seq;
    const names = [...this.#dirty];
    this.#dirty.clear();
    this.#bytesInFlight = this.#dirtyBytes;
    this.#dirtyBytes = 0;
    this.#isAppending = true;
    this.appends += 1;
    const startedAt = performance.now();
    const appended = await this.#options.append(names);
    metrics.appended(appended.outcome, performance.now() - startedAt);
    const failure = failureOf(appended);
    this.#isAppending = false;
    this.#bytesInFlight = 0;
    if (failure) this.fail(failure);
    if (this.failed) return;
    this.durableSeq = taken;
    while (this.#waiting[0] && this.#waiting[0].seq <= taken) this.#waiting.shift()?.resolve();
    if (this.#urgentSeq > taken) this.#schedule();
    else if (this.seq > taken) this.#scheduleSoon();
    this.#tell();
    this.#options.onAppended(names);
  }

  #tell(): void {
    for (const listener of this.onDurable) listener();
  }
}

function failureOf(appended: Appended): StateFailure | undefined {
  switch (appended.outcome) {
    case "ok":
      return undefined;
    case "fenced":
      return new StateFailure("fenced", "another owner has taken the device over");
    case "unavailable":
      return new StateFailure("unavailable", "the device state could not be stored", appended.cause);
    case "too-large":
      return new StateFailure("too-large", `an append of ${appended.bytes} bytes is larger than an entry may be`);
  }
}
