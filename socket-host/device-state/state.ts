import type { Log } from "../../shared/log.ts";
import { GroupCommit } from "./group-commit.ts";
import { DeviceLog } from "./log.ts";
import type { LogOpened, LogOwner } from "./log.ts";
import { chatName, CREDS, DeviceMemory, inboxName, keyName, outboxName, parseName } from "./memory.ts";
import type { JournalEntry } from "./memory.ts";
import type { OutboxEntry } from "./outbox-records.ts";
import { decodeRecords, decodeValue, encodeRecords, encodeValue } from "./records.ts";
import type { TextRecord } from "./records.ts";
import { Repeats } from "./repeats.ts";
import { StateFailure } from "./state-failure.ts";

export type { JournalEntry, OutboxEntry };

/** Signal keys by type and id; null or undefined deletes one. */
export type KeyData = { [type: string]: { [id: string]: unknown } | undefined };

/** `newCreds` makes those of a device that has none; `log` hears of what goes wrong in the background. */
export type StateOptions<Creds> = LogOwner & { newCreds: () => Creds; log: Log };

export type StateOpened<Creds extends object> =
  | { outcome: "open"; state: DeviceState<Creds> }
  | Exclude<LogOpened, { outcome: "open" }>;

/** Every change is in a snapshot after this time: entries of the log expire by a rule of the bucket, snapshots do not. */
const SNAPSHOT_AGE_MS = 3_600_000;
const SNAPSHOT_RETRY_MS = 60_000;
/** A log that is long when it is opened waits so long, and up to twice as long: all other devices may be opening now, too. */
const SNAPSHOT_AFTER_OPENING_MS = 30_000;
/** About what the credentials take. */
const CREDS_BYTES = 4_096;

/**
 * Everything that a device must not forget: credentials, Signal keys, the inbox journal, the outbox, the chat store.
 *
 * Memory is the truth while the device is owned: a read comes from it, a write changes it in the same tick and marks
 * the record dirty. One append at a time takes all dirty records with their values at that moment, so each entry of the
 * log is a consistent picture of memory, a record that was written twenty times meanwhile is stored once, and no two
 * writes reach the log in the wrong order. A write is visible at once and durable later; what must not leave before
 * that waits for `durableSeq` to reach the `seq` of its moment, as the output gate does.
 *
 * When the log refuses or the store fails, the state has failed for good: reads and writes throw its `StateFailure` and
 * nothing that waits goes on. The owner lets go of it and opens the device anew, if it still owns it.
 */
export class DeviceState<Creds extends object> {
  /** Called with the keys of journal entries that have just become durable and are still there. */
  onJournaled: (keys: string[]) => void = () => {};

  readonly #log: DeviceLog;
  readonly #logger: Log;
  readonly #memory: DeviceMemory<Creds>;
  readonly #commit: GroupCommit;
  #snapshotting: Promise<void> | undefined;
  #snapshotTimer: NodeJS.Timeout | undefined;
  #noSnapshotBefore = 0;
  #closing: Promise<void> | undefined;

  private constructor(log: DeviceLog, logger: Log, memory: DeviceMemory<Creds>) {
    this.#log = log;
    this.#logger = logger;
    this.#memory = memory;
    const repeating = new Repeats();
    const records = (names: Iterable<string>) => Array.from(names, (name): TextRecord => [name, memory.text(name)]);
    this.#commit = new GroupCommit({
      append: (names) => {
        const { body, repeats } = repeating.next(names, (all) => encodeRecords(records(all)));
        return log.append(body, repeats);
      },
      onAppended: (names) => this.#onAppended(names),
    });
  }

  /**
   * Loads everything and takes the log over. New credentials are stored with their first change. Throws when the store
   * does not answer.
   */
  static async open<Creds extends object>(options: StateOptions<Creds>): Promise<StateOpened<Creds>> {
    const { newCreds, log: logger, ...owner } = options;
    const opened = await DeviceLog.open(owner);
    if (opened.outcome !== "open") return opened;
    const memory = new DeviceMemory(newCreds);
    for (const body of opened.bodies) {
      for (const record of decodeRecords(body)) memory.restore(record);
      // Between the parts of a large snapshot other devices have their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const state = new DeviceState(opened.log, logger, memory);
    state.#dropOldOutbox();
    state.#noSnapshotBefore = opened.log.isSnapshotDue
      ? performance.now() + SNAPSHOT_AFTER_OPENING_MS * (1 + Math.random())
      : 0;
    state.#considerSnapshot();
    return { outcome: "open", state };
  }

  /** The live object: Baileys changes it and tells `saveCreds`. */
  get creds(): Creds {
    return this.#memory.creds;
  }

  /** Decrypts whose event is not stored or whose receipt is not acknowledged, by the hash of their ciphertext. */
  get inbox(): ReadonlyMap<string, JournalEntry> {
    return this.#memory.inbox;
  }

  /** The number of the newest write, and of the newest that is in the log. */
  get seq(): number {
    return this.#commit.seq;
  }
  get durableSeq(): number {
    return this.#commit.durableSeq;
  }
  get failed(): StateFailure | undefined {
    return this.#commit.failed;
  }
  /** Called after each append, and once when the state fails. */
  get onDurable(): Set<() => void> {
    return this.#commit.onDurable;
  }
  /** About how many bytes of writes are not durable yet. */
  get backlogBytes(): number {
    return this.#commit.backlogBytes;
  }
  /** How many appends have begun: tells whether one began between two moments. */
  get appends(): number {
    return this.#commit.appends;
  }

  /** The values that exist, each a copy. Throws after a failure. */
  get(type: string, ids: readonly string[]): { [id: string]: unknown } {
    this.#assertAlive();
    const found: { [id: string]: unknown } = {};
    for (const id of ids) {
      const text = this.#memory.keys.get(keyName(type, id));
      if (text !== undefined) found[id] = decodeValue(text);
    }
    return found;
  }

  /** Throws after a failure. */
  set(data: KeyData): void {
    this.setLazily(data);
    this.#commit.advance();
  }

  /** As `set`, for what a crash may lose: it is stored with the next append and causes none. */
  setLazily(data: KeyData): void {
    this.#assertAlive();
    for (const [type, values] of Object.entries(data)) {
      for (const [id, value] of Object.entries(values ?? {})) {
        const name = keyName(type, id);
        const text = value === null || value === undefined ? undefined : encodeValue(value);
        if (text === undefined) this.#memory.keys.delete(name);
        else this.#memory.keys.set(name, text);
        this.#commit.touch(name, text?.length ?? 0);
      }
    }
  }

  /** Never throws, as Baileys calls it from an event; after a failure nothing that rests on it can leave. */
  saveCreds(update: Partial<Creds>): void {
    this.saveCredsLazily(update);
    this.#commit.advance();
  }

  /** As `saveCreds`, for what a crash may lose: it is stored with the next append and causes none. */
  saveCredsLazily(update: Partial<Creds>): void {
    Object.assign(this.#memory.creds, update);
    this.#commit.touch(CREDS, CREDS_BYTES);
  }

  /**
   * Stored with the next append, which is that of the ratchet step that encrypts the message: before that nothing of it can
   * leave, so there is nothing to remember. Throws after a failure. The oldest messages go when there are too many.
   */
  putOutbox(id: string, entry: OutboxEntry): void {
    this.#assertAlive();
    this.#memory.outbox.put(id, entry);
    this.#commit.touch(outboxName(id), entry.bytes.length);
    this.#dropOldOutbox();
  }

  getOutbox(id: string): OutboxEntry | undefined {
    return this.#memory.outbox.get(id);
  }

  /** Throws after a failure. */
  journal(key: string, entry: JournalEntry): void {
    this.#putJournal(key, entry);
    this.#commit.advance();
  }

  /** As `journal`, for what nobody waits for: its append begins a little later and is shared by what comes meanwhile. */
  journalSoon(key: string, entry: JournalEntry): void {
    this.#putJournal(key, entry);
    this.#commit.advanceSoon();
  }

  /** The event is stored and the server will not deliver it again. Stored with the next append; causes none. */
  forget(key: string): void {
    if (this.#memory.inbox.delete(key)) this.#commit.touch(inboxName(key), 0);
  }

  /** Records of the chat store, in the order in which they were first put. */
  get chats(): ReadonlyMap<string, string> {
    return this.#memory.chats;
  }

  /** Stored with the next append; causes none. `text` is JSON; undefined removes the record. Throws after a failure. */
  putChat(id: string, text: string | undefined): void {
    this.#assertAlive();
    if (text === undefined) this.#memory.chats.delete(id);
    else this.#memory.chats.set(id, text);
    this.#commit.touch(chatName(id), text?.length ?? 0);
  }

  /** Makes also durable what would have waited for the next append. Rejects with `StateFailure`. */
  flush(): Promise<void> {
    this.#commit.advanceIfDirty();
    return this.#commit.durable();
  }

  /**
   * The link is gone: nothing is left but new credentials and the chats. Resolves when that is durable; rejects with `StateFailure`.
   * What the journal holds is lost with it, so its events must be stored before.
   */
  async reset(creds: Creds): Promise<void> {
    this.#assertAlive();
    for (const name of this.#memory.linkNames()) this.#commit.touch(name, 0);
    this.#memory.clearLink(creds);
    this.#commit.advance();
    await this.#commit.durable();
  }

  /** Resolves when everything written so far is durable; rejects with `StateFailure`. */
  durable(): Promise<void> {
    return this.#commit.durable();
  }

  /** Stores what is left, then stops: from then on the state has failed with the reason `closed`. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#flushAndStop();
    return this.#closing;
  }

  async #flushAndStop(): Promise<void> {
    try {
      this.#commit.advanceIfDirty();
      await this.#commit.durable();
      await this.#snapshotting;
      if (this.#log.isAheadOfSnapshot) await this.#snapshot();
    } catch (err) {
      this.#logger.warn({ err }, "device state closed before all of it was stored");
    }
    clearTimeout(this.#snapshotTimer);
    this.#commit.fail(new StateFailure("closed", "the device state is closed"));
  }

  #onAppended(names: string[]): void {
    const inbox = names.map(parseName).filter(({ kind }) => kind === "in");
    const journaled = inbox.map(({ id }) => id).filter((key) => this.#memory.inbox.has(key));
    if (journaled.length) this.onJournaled(journaled);
    this.#considerSnapshot();
  }

  #considerSnapshot(): void {
    if (!this.#log.isAheadOfSnapshot) return;
    const waitMs = this.#log.isSnapshotDue ? this.#noSnapshotBefore - performance.now() : SNAPSHOT_AGE_MS;
    if (waitMs <= 0) this.#startSnapshot();
    else this.#snapshotTimer ??= setTimeout(() => this.#startSnapshot(), waitMs).unref();
  }

  #startSnapshot(): void {
    clearTimeout(this.#snapshotTimer);
    this.#snapshotTimer = undefined;
    if (this.failed) return;
    this.#snapshotting ??= this.#snapshot()
      .catch((err: unknown) => {
        if (this.failed) return;
        this.#noSnapshotBefore = performance.now() + SNAPSHOT_RETRY_MS;
        this.#logger.warn({ err }, "snapshot of the device state not stored");
      })
      .finally(() => {
        this.#snapshotting = undefined;
      });
  }

  /**
   * Parts are stored while writes go on, so they may hold what no entry holds yet; reading begins at them only when it
   * does. Entries are read on top of them, whole records, so it does not matter which of two moments a part shows.
   */
  async #snapshot(): Promise<void> {
    const draft = await this.#log.draft(this.#memory.parts());
    await this.#commit.durable();
    if ((await this.#log.adopt(draft)) === "fenced") {
      this.#commit.fail(new StateFailure("fenced", "another owner has taken the device over"));
    }
  }

  #putJournal(key: string, entry: JournalEntry): void {
    this.#assertAlive();
    this.#memory.inbox.set(key, entry);
    this.#commit.touch(inboxName(key), entry.plain.length);
  }

  #dropOldOutbox(): void {
    for (const id of this.#memory.outbox.dropOld(Date.now())) this.#commit.touch(outboxName(id), 0);
  }

  #assertAlive(): void {
    if (this.#commit.failed) throw this.#commit.failed;
  }
}
