import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { adoptHead } from "./adopt-head.ts";
import { logObjects } from "./log-objects.ts";
import type { LogObjects, Place } from "./log-objects.ts";
import { readEntries } from "./read-entries.ts";
import { SEAL_OVERHEAD_BYTES, SealError } from "./seal.ts";

/** Whose log, and under which lease it is opened. */
export type LogOwner = Place & { epoch: number };

/**
 * `fenced`: a newer owner has been here; this one has nothing to say any more. `unreadable`: an object is damaged,
 * missing, or sealed under another key; trying again does not help, a person must look.
 */
export type LogOpened =
  | { outcome: "open"; log: DeviceLog; bodies: Buffer[] }
  | { outcome: "fenced" }
  | { outcome: "unreadable"; object: string; why: string };

/** After `unavailable` nobody knows whether the entry was stored: only opening the log anew tells. */
export type Appended =
  | { outcome: "ok" }
  | { outcome: "fenced" }
  | { outcome: "unavailable"; cause: unknown }
  | { outcome: "too-large"; bytes: number };

/** A snapshot whose parts are stored, but which HEAD does not name yet. */
export type Draft = { seq: number; snapshot: string; parts: number; bytes: number };

/** One append is one object, all or nothing. Far above the largest that occurs: a first message to a large group. */
export const MAX_ENTRY_BYTES = 8 << 20;
/** How long an append is tried while the store fails. WhatsApp's keep-alive ends a silent connection at 35 s. */
const APPEND_DEADLINE_MS = 35_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3_000;

/** From these on, reading the entries costs more than reading a snapshot. */
const SNAPSHOT_READS = 8;
const SNAPSHOT_ENTRIES = 128;
const SNAPSHOT_BYTES = 4 << 20;
const MOST_READS = 32;
const MOST_ENTRIES = 512;

const OPEN_ATTEMPTS = 10;

/**
 * The append-only log of one device in a bucket, safe against owners that do not know they have lost it.
 *
 * An entry is an object with the next number, created only if absent: two writers cannot both have a number, and the
 * loser learns it. Opening writes an entry of its own (the fence) at the end: from then on whoever held the log before
 * finds its next number taken. An append that is refused is compared by `writer` before it is believed, because a
 * repeated request may have met its own first attempt. A number that a former owner may try stays taken for ever: no
 * entry is deleted here, and a wipe leaves the fences. A snapshot is a set of new objects and a compare-and-swap of HEAD.
 */
export class DeviceLog {
  readonly #objects: LogObjects;
  readonly #epoch: number;
  readonly #writer: string;
  #seq: number;
  #headEtag: string | undefined;
  readonly #fenceSeq: number;
  #snapSeq: number;
  /** The entries since the snapshot that would be read, oldest first. */
  #toRead: { seq: number; bytes: number }[];
  #snapshotBytes: number;

  private constructor(objects: LogObjects, epoch: number, writer: string, read: Read) {
    this.#objects = objects;
    this.#epoch = epoch;
    this.#writer = writer;
    this.#seq = read.seq;
    this.#fenceSeq = read.seq;
    this.#headEtag = read.headEtag;
    this.#snapSeq = read.snapSeq;
    // All before the fence are another writer's, so no entry of ours repeats them: one number does for all.
    this.#toRead = [...read.entryBytes.map((bytes) => ({ seq: read.seq - 1, bytes })), { seq: read.seq, bytes: 0 }];
    this.#snapshotBytes = read.snapshotBytes;
  }

  /**
   * Reads the log and takes it over. `bodies` are what was appended, oldest first: the snapshot's parts, then each
   * later entry's body. Throws only when the store does not answer.
   */
  static async open({ epoch, ...place }: LogOwner): Promise<LogOpened> {
    const objects = logObjects(place);
    const writer = randomBytes(12).toString("hex");
    try {
      for (let attempt = 1; attempt <= OPEN_ATTEMPTS; attempt++) {
        const read = await readAndFence(objects, epoch, writer);
        if (read === "fenced") return { outcome: "fenced" };
        if (read === "moved") continue;
        return { outcome: "open", log: new DeviceLog(objects, epoch, writer, read), bodies: read.bodies };
      }
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
      return { outcome: "unreadable", object: error.object, why: error.message };
    }
    throw new Error(`the log ${place.prefix} kept changing while it was opened`);
  }

  /**
   * Whether there are entries that no snapshot covers. The fence counts too: were it left alone until the bucket's rule
   * expires it, the log would have a hole before the fence of the next opening.
   */
  get isAheadOfSnapshot(): boolean {
    return this.#seq > this.#snapSeq;
  }

  /** Whether a snapshot is worth its cost: reading has grown long, and the log is no longer small beside the snapshot. */
  get isSnapshotDue(): boolean {
    const [reads, entries] = [this.#toRead.length, this.#seq - this.#snapSeq];
    const bytes = this.#toRead.reduce((sum, entry) => sum + entry.bytes, 0);
    const isLong = reads >= SNAPSHOT_READS || entries >= SNAPSHOT_ENTRIES || bytes >= SNAPSHOT_BYTES;
    return (isLong && bytes >= this.#snapshotBytes / 4) || reads >= MOST_READS || entries >= MOST_ENTRIES;
  }

  /**
   * Stores one entry. The caller has one append in flight at a time, and none after any outcome but `ok`.
   * @param repeats so many entries before this one, all of this open log, hold nothing that it does not hold; see `Repeats`
   */
  async append(body: Buffer, repeats = 0): Promise<Appended> {
    const bytes = body.length + SEAL_OVERHEAD_BYTES;
    if (bytes > MAX_ENTRY_BYTES) return { outcome: "too-large", bytes };
    const seq = this.#seq + 1;
    // There is nothing in the fence, so who comes after it repeats it too.
    const all = seq - repeats - 1 === this.#fenceSeq ? repeats + 1 : repeats;
    const entry = { epoch: this.#epoch, writer: this.#writer, ...(all && { repeats: all }), body };
    const sealed = this.#objects.sealEntry(seq, entry);
    const deadline = performance.now() + APPEND_DEADLINE_MS;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        const isNew = (await this.#objects.createEntry(seq, sealed)) === "created";
        if (!isNew && !(await this.#isOwn(seq))) return { outcome: "fenced" };
        this.#seq = seq;
        this.#toRead = [...this.#toRead.filter((entry) => entry.seq < seq - all), { seq, bytes: sealed.length }];
        return { outcome: "ok" };
      } catch (cause) {
        if (performance.now() >= deadline) return { outcome: "unavailable", cause };
        await pause(pauseMs);
      }
    }
  }

  /**
   * Stores the parts of a snapshot of everything appended so far; appends may go on meanwhile. What `bodies` holds may
   * be newer than that, even not durable yet: entries are read on top of it, so it only must be durable when `adopt` is
   * called. Throws when the store fails.
   */
  async draft(bodies: Iterable<Buffer>): Promise<Draft> {
    const seq = this.#seq;
    const snapshot = this.#objects.newSnapshot(seq);
    let parts = 0;
    let bytes = 0;
    for (const body of bodies) bytes += await this.#objects.writePart(snapshot, parts++, body);
    return { seq, snapshot, parts, bytes };
  }

  /** Lets reading begin at this snapshot, and removes those before it. Throws when the store fails. */
  async adopt(draft: Draft): Promise<"ok" | "fenced"> {
    const { seq: snapSeq, snapshot, parts } = draft;
    const head = { epoch: this.#epoch, snapSeq, snapshot, parts };
    const adopted = await adoptHead(this.#objects, head, this.#headEtag);
    if (adopted === "fenced") return "fenced";
    this.#headEtag = adopted.etag;
    this.#snapSeq = snapSeq;
    this.#toRead = this.#toRead.filter((entry) => entry.seq > snapSeq);
    this.#snapshotBytes = draft.bytes;
    await this.#objects.deleteSnapshotsBefore(snapSeq);
    return "ok";
  }

  async #isOwn(seq: number): Promise<boolean> {
    return (await this.#objects.peekEntry(seq))?.writer === this.#writer;
  }
}

type Read = {
  bodies: Buffer[];
  seq: number;
  snapSeq: number;
  snapshotBytes: number;
  /** Of each entry that was read. */
  entryBytes: number[];
  headEtag: string | undefined;
};

/**
 * Reads everything, then takes the next number. HEAD is read again at the end: had it moved, what it named may have
 * been removed under the reader.
 */
async function readAndFence(objects: LogObjects, epoch: number, writer: string): Promise<Read | "fenced" | "moved"> {
  const current = await objects.readHead();
  if (current && current.head.epoch > epoch) return "fenced";
  const hasMoved = async () => (await objects.readHead())?.etag !== current?.etag;

  const snapSeq = current?.head.snapSeq ?? 0;
  const snapshot = current ? await objects.readSnapshot(current.head) : [];
  const read = snapshot && (await readEntries(objects, snapSeq));
  if (!read) {
    if (await hasMoved()) return "moved";
    throw new SealError(`the log after ${snapSeq}`, snapshot ? "an entry is missing" : "its snapshot is missing");
  }
  const fence = { epoch, writer, body: Buffer.alloc(0) };
  const { entries } = read;
  let seq = read.last;
  for (let isFenced = false; !isFenced;) {
    if (entries.some((entry) => entry.epoch > epoch)) return "fenced";
    seq += 1;
    if ((await objects.createEntry(seq, objects.sealEntry(seq, fence))) === "created") break;
    const entry = await objects.readEntry(seq);
    if (!entry) return "moved";
    entries.push(entry);
    isFenced = entry.writer === writer;
  }
  if (await hasMoved()) return "moved";
  const lastWipe = entries.findLastIndex((entry) => entry.wipes);
  const bodies = entries.slice(lastWipe + 1).flatMap(({ body }) => (body.length ? [body] : []));
  return {
    bodies: lastWipe < 0 ? [...snapshot, ...bodies] : bodies,
    seq,
    snapSeq,
    snapshotBytes: sizeOf(snapshot),
    entryBytes: entries.map(({ body }) => body.length),
    headEtag: current?.etag,
  };
}

const sizeOf = (bodies: readonly Buffer[]) => bodies.reduce((sum, body) => sum + body.length, 0);
