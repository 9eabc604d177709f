import { randomBytes } from "node:crypto";
import type { Storage } from "../../shared/storage.ts";
import { decodeEntry, encodeEntry } from "./log-entry.ts";
import type { LogEntry } from "./log-entry.ts";
import { decodeHead, encodeHead } from "./log-head.ts";
import type { Head } from "./log-head.ts";
import { seal, SealError, unseal } from "./seal.ts";

/** Where a device's state lies. `prefix` ends in a slash; `key` is the installation's 32-byte key. */
export type Place = { storage: Storage; prefix: string; key: Buffer };

export type LogObjects = ReturnType<typeof logObjects>;

/** An entry without a body is never larger: its header is all there is. */
const MAX_FENCE_BYTES = 160;

/** How many objects are read side by side when a device is opened. */
const READS_AT_ONCE = 16;

/**
 * The objects of one device's log, sealed and opened. Entries lie under `log/<prefix>` and everything else under
 * `<prefix>`, so that a bucket rule can expire old entries by the prefix `log/` without touching HEAD and snapshots.
 * What cannot be opened is thrown as `SealError`.
 */
export function logObjects({ storage, prefix, key }: Place) {
  const headName = `${prefix}HEAD`;
  const entryPrefix = `log/${prefix}`;
  const entryName = (seq: number) => `${entryPrefix}${padded(seq)}`;
  const snapshotPrefix = `${prefix}snap/`;
  const partName = (snapshot: string, part: number) => `${snapshotPrefix}${snapshot}/${String(part).padStart(4, "0")}`;

  async function open(name: string): Promise<Buffer | undefined> {
    const object = await storage.get(name);
    return object && unseal(key, name, object.body);
  }

  return {
    async readHead(): Promise<{ head: Head; etag: string } | undefined> {
      const object = await storage.get(headName);
      if (!object) return undefined;
      const head = decodeHead(object.body);
      if (typeof head === "string") throw new SealError(headName, head);
      return { head, etag: object.etag };
    },
    replaceHead: (head: Head, etag: string | undefined) => storage.replaceIf(headName, encodeHead(head), etag),

    /** The same bytes may be given to `createEntry` again and again. */
    sealEntry: (seq: number, entry: LogEntry) => seal(key, entryName(seq), encodeEntry(entry)),
    createEntry: (seq: number, sealed: Buffer) => storage.createIfAbsent(entryName(seq), sealed),
    async readEntry(seq: number): Promise<LogEntry | undefined> {
      const bytes = await open(entryName(seq));
      return bytes && decodeEntry(bytes);
    },
    /** As `readEntry`, but undefined also for what cannot be opened. */
    async peekEntry(seq: number): Promise<LogEntry | undefined> {
      try {
        return await this.readEntry(seq);
      } catch (error) {
        if (error instanceof SealError) return undefined;
        throw error;
      }
    },
    /** The entries after `seq`, ascending, with their sizes as they are stored. */
    async listEntries(seq: number): Promise<{ seq: number; bytes: number }[]> {
      const entries = await storage.listSized(entryPrefix, entryName(seq));
      return entries.map(({ key: name, bytes }) => ({ seq: Number(name.slice(entryPrefix.length)), bytes }));
    },

    /** The name of a new snapshot of everything up to `seq`; no other has it. */
    newSnapshot: (seq: number) => `${padded(seq)}-${randomBytes(8).toString("hex")}`,
    async writePart(snapshot: string, part: number, body: Buffer): Promise<number> {
      const name = partName(snapshot, part);
      const sealed = seal(key, name, body);
      // "exists": the reply to an earlier attempt was lost, for nobody else writes under this name.
      await storage.createIfAbsent(name, sealed);
      return sealed.length;
    },
    /** Undefined when a part is missing, because a newer snapshot has taken this one's place meanwhile. */
    async readSnapshot({ snapshot, parts }: Head): Promise<Buffer[] | undefined> {
      const numbers = Array.from({ length: parts }, (_, part) => part);
      const bodies = await inTurns(numbers, (part) => open(partName(snapshot, part)));
      const found = bodies.filter((body) => body !== undefined);
      return found.length === parts ? found : undefined;
    },
    /** Removes the snapshots that HEAD cannot come to name any more, because it names one of a later entry. */
    async deleteSnapshotsBefore(seq: number): Promise<void> {
      const names = await storage.list(snapshotPrefix);
      await storage.delete(names.filter((name) => name < `${snapshotPrefix}${padded(seq)}`));
    },
    /** The names of all objects of the device that are neither entries nor HEAD. */
    async listOthers(): Promise<string[]> {
      return (await storage.list(prefix)).filter((name) => name !== headName);
    },
    /**
     * Removes `others`, and the entries before `seq` but for fences: each is the one number that some former owner will
     * try next, should it still live.
     */
    async deleteBefore(seq: number, others: readonly string[]): Promise<void> {
      const entries = (await storage.listSized(entryPrefix)).filter(({ key: name }) => name < entryName(seq));
      const kept = await inTurns(entries, async ({ key: name, bytes }) => {
        if (bytes > MAX_FENCE_BYTES) return false;
        return !(await this.peekEntry(Number(name.slice(entryPrefix.length))))?.body.length;
      });
      await storage.delete([...entries.filter((_, at) => !kept[at]).map((entry) => entry.key), ...others]);
    },
  };
}

const padded = (seq: number) => String(seq).padStart(12, "0");

/** `work` for each item, some at a time, results in the order of the items. */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += READS_AT_ONCE) {
    results.push(...(await Promise.all(items.slice(at, at + READS_AT_ONCE).map(work))));
  }
  return results;
}
