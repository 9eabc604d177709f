import { createJournal } from "./data-directory.ts";
import { makeDirectory } from "./data-file.ts";
import type { DataFile, PayloadLocation } from "./data-file.ts";
import { Journal } from "./journal.ts";
import type { StorageError, Transaction } from "./journal.ts";
import { acquireLock } from "./lock.ts";
import type { Lock, LockedError } from "./lock.ts";
import { recover } from "./recover.ts";
import type { Recovered } from "./recover.ts";
import { writeSnapshot } from "./snapshot.ts";
import type { Captured } from "./snapshot.ts";

/** The memory that a store keeps durable. */
type State<R> = {
  /** Makes a record true. The only place where durable state changes; runs at start for every record, then live. */
  apply: (record: R, payload: PayloadLocation | undefined) => void;
  /** Everything that is true now, as records. Taken at once, consumed later: it must not change with the state. */
  capture: () => Iterable<Captured<R>>;
};

type Options<R> = {
  directory: string;
  /** The version of the records, which rises with each new kind. Earlier ones can be read, later ones are refused. */
  format: number;
  state: State<R>;
  /** The journals may grow to this (or to the size of the snapshot, if that is more) before they are compacted. */
  compactAfterBytes: number;
  /** The store can take no more writes, or the directory was taken by another process. */
  onBroken: (error: StorageError | LockedError) => void;
  /** A compaction failed. Nothing is lost; it is tried again when the journal has grown. */
  onCompactionFailed: (error: unknown) => void;
};

/** Durable state of one process: a lock, a snapshot, and the journals after it. */
export class Store<R> {
  readonly #options: Options<R>;
  readonly #lock: Lock;
  readonly #journal: Journal<R>;
  #snapshot: Recovered["snapshot"];
  #closed: Recovered["closed"];
  #last: Recovered["last"];
  #compaction: Promise<void> | undefined;
  #compactAtBytes = 0;
  readonly #closing = new AbortController();

  private constructor(options: Options<R>, lock: Lock, recovered: Recovered) {
    this.#options = options;
    this.#lock = lock;
    this.#snapshot = recovered.snapshot;
    this.#closed = recovered.closed;
    this.#last = recovered.last;
    const { apply } = options.state;
    this.#journal = new Journal({ file: this.#last.file, end: recovered.end, apply, onBroken: options.onBroken });
    this.#planCompaction();
    this.#compactIfDue();
  }

  /** Replays the directory into `state`. Throws `LockedError`, `UnreadableDataError` or the system's error. */
  static async open<R>(options: Options<R>): Promise<Store<R>> {
    await makeDirectory(options.directory);
    const lock = await acquireLock(options.directory, options.onBroken);
    try {
      return new Store(options, lock, await recover(options.directory, options.format, options.state.apply));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Resolves when the transaction is durable and applied to the state. Throws `StorageError`: then it is neither. */
  async commit(transaction: Transaction<R>): Promise<void> {
    await this.#journal.commit(transaction);
    this.#compactIfDue();
  }

  /** Finishes what is being written and gives the directory free. */
  async close(): Promise<void> {
    // A compaction would only make the end wait: the journals hold everything.
    this.#closing.abort();
    await this.#compaction;
    await this.#journal.flush();
    for (const file of this.#files()) await file.close();
    await this.#lock.release();
  }

  #files(): DataFile[] {
    const snapshot = this.#snapshot ? [this.#snapshot.file] : [];
    return [...snapshot, ...this.#closed.map(({ file }) => file), this.#last.file];
  }

  #journalBytes(): number {
    return this.#closed.reduce((sum, { bytes }) => sum + bytes, this.#journal.bytes);
  }

  /** As much again as the snapshot holds: every byte is then rewritten about once for each byte that is added. */
  #planCompaction(): void {
    this.#compactAtBytes = Math.max(this.#options.compactAfterBytes, this.#snapshot?.bytes ?? 0);
  }

  #compactIfDue(): void {
    if (this.#compaction || this.#closing.signal.aborted || this.#journalBytes() < this.#compactAtBytes) return;
    this.#compaction = this.#compact()
      .then(() => this.#planCompaction())
      .catch((error: unknown) => {
        this.#compactAtBytes = this.#journalBytes() + this.#options.compactAfterBytes;
        if (!this.#closing.signal.aborted) this.#options.onCompactionFailed(error);
      })
      .finally(() => {
        this.#compaction = undefined;
      });
  }

  async #compact(): Promise<void> {
    const { directory, format, state } = this.#options;
    const number = this.#last.number + 1;
    const before = { file: this.#last.file, bytes: 0 };
    let captured: Iterable<Captured<R>> = [];
    let next: DataFile | undefined;
    const open = async () => {
      const created = await createJournal(directory, number, format);
      next = created.file;
      return created;
    };
    await this.#journal.rotate(open, () => {
      before.bytes = this.#journal.bytes;
      captured = state.capture();
    });
    if (!next) return;
    this.#closed.push(before);
    this.#last = { file: next, number };

    const snapshot = await writeSnapshot({ directory, number, format }, captured, this.#closing.signal);
    const old = this.#files().filter((file) => file !== this.#last.file);
    this.#snapshot = snapshot;
    this.#closed = [];
    for (const file of old) await file.retire();
  }
}
