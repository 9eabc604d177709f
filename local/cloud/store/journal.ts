import { encodeFrame, FRAME_HEADER_BYTES } from "./frame.ts";
import { writeFully } from "./data-file.ts";
import type { DataFile, PayloadLocation } from "./data-file.ts";

/** What takes effect together. Records are plain JSON. */
export type Transaction<R> = { records: readonly R[]; payload?: Uint8Array };

/** The disk did not take the data: nothing of the transaction took effect, in memory or (after a restart) on disk. */
export class StorageError extends Error {}

type Waiting<R> = {
  transaction: Transaction<R>;
  encoded: Buffer;
  resolve: () => void;
  reject: (error: StorageError) => void;
};

type Options<R> = {
  file: DataFile;
  /** Where the next frame goes, and the number of the last group in the file. */
  end: { offset: number; batch: number };
  /** Makes a record that is on disk true in memory. Must not throw. */
  apply: (record: R, payload: PayloadLocation | undefined) => void;
  /** The journal cannot go on: the state of the file is unknown. */
  onBroken: (error: StorageError) => void;
};

const LARGEST_WRITE_BYTES = 8 * 1024 * 1024;

/**
 * The append-only file that everything durable goes through. Transactions that arrive while the disk is busy are written
 * and synced together (group commit). A transaction is applied to memory after it is durable, in the order of the file,
 * so memory is never ahead of the disk and equals what a replay of the file would give.
 */
export class Journal<R> {
  readonly #apply: Options<R>["apply"];
  readonly #onBroken: Options<R>["onBroken"];
  #file: DataFile;
  #offset: number;
  #batch: number;
  #waiting: Waiting<R>[] = [];
  #rotations: (() => Promise<void>)[] = [];
  #writing: Promise<void> | undefined;
  #broken: StorageError | undefined;

  constructor(options: Options<R>) {
    this.#file = options.file;
    this.#offset = options.end.offset;
    this.#batch = options.end.batch;
    this.#apply = options.apply;
    this.#onBroken = options.onBroken;
  }

  get bytes(): number {
    return this.#offset;
  }

  /** Resolves when the transaction is durable and visible in memory. Throws `StorageError`. */
  commit(transaction: Transaction<R>): Promise<void> {
    const encoded = Buffer.from(JSON.stringify(transaction.records));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ transaction, encoded, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /**
   * Goes on in the file that `open` gives. `atBoundary` runs between two groups, when memory is exactly what the files
   * before it hold. Throws what `open` throws; the journal then goes on in the file it has.
   */
  rotate(open: () => Promise<{ file: DataFile; offset: number }>, atBoundary: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#rotations.push(async () => {
        try {
          const next = await open();
          atBoundary();
          this.#file = next.file;
          this.#offset = next.offset;
          this.#batch = 0;
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      this.#writing ??= this.#write();
    });
  }

  /** Resolves when everything that was committed so far is done. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    // Everything that is committed in this turn of the event loop shares the first write.
    await Promise.resolve();
    for (;;) {
      const rotate = this.#rotations.shift();
      if (rotate) await rotate();
      else if (this.#waiting.length > 0) await this.#writeGroup(this.#takeGroup());
      else break;
    }
    this.#writing = undefined;
  }

  #takeGroup(): Waiting<R>[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ encoded, transaction }, index) => {
      bytes += encoded.length + (transaction.payload?.length ?? 0);
      return index > 0 && bytes > LARGEST_WRITE_BYTES;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  async #writeGroup(group: readonly Waiting<R>[]): Promise<void> {
    const start = this.#offset;
    const frames = group.map(({ encoded, transaction }) => encodeFrame(this.#batch + 1, encoded, transaction.payload));
    try {
      if (this.#broken) throw this.#broken;
      await writeFully(this.#file.handle, frames.flat(), start);
    } catch (error) {
      await this.#undoWrite(start);
      return rejectAll(group, error);
    }
    try {
      await this.#file.handle.datasync();
    } catch (error) {
      // After a failed sync the kernel may have dropped the pages and a second sync would lie (fsync(2), ERRORS).
      this.#break(error);
      return rejectAll(group, error);
    }
    this.#batch += 1;
    for (const { transaction, encoded } of group) this.#applyFrame(transaction, encoded.length);
    for (const { resolve } of group) resolve();
  }

  #applyFrame(transaction: Transaction<R>, recordBytes: number): void {
    const length = transaction.payload?.length ?? 0;
    const offset = this.#offset + FRAME_HEADER_BYTES + recordBytes;
    const payload = length > 0 ? { file: this.#file, offset, length } : undefined;
    this.#offset = offset + length;
    for (const record of transaction.records) this.#apply(record, payload);
  }

  /** A part of the group may be in the file: without it gone, the next group would stand behind garbage. */
  async #undoWrite(offset: number): Promise<void> {
    if (this.#broken) return;
    try {
      await this.#file.handle.truncate(offset);
    } catch (error) {
      this.#break(error);
    }
  }

  #break(cause: unknown): void {
    this.#broken = storageError(cause);
    this.#onBroken(this.#broken);
  }
}

function rejectAll<R>(group: readonly Waiting<R>[], cause: unknown): void {
  const error = storageError(cause);
  for (const { reject } of group) reject(error);
}

function storageError(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError(`the local cloud could not write to its data directory: ${reason}`, { cause });
}
