import { proto } from "@whiskeysockets/baileys";
import { Malformed } from "../wire/malformed.ts";

type Collection = {
  version: number;
  /** The latest patches, oldest first; each carries its version. */
  patches: Uint8Array[];
  /** What all patches together amount to, by the MAC of its index. */
  records: Map<string, Uint8Array>;
  /** The last patch's word for it, which the server could not compute. */
  snapshotMac: Uint8Array;
  keyId: Uint8Array;
};

export type AppStateRecord = (Omit<Collection, "records"> & { name: string; records: [string, Uint8Array][] })[];

/** What a device that is behind needs: the patches that it lacks, or everything at once. */
export type CatchUp = { version: number; patches: Uint8Array[]; hasMore: boolean; snapshot: Uint8Array | undefined };

const MAX_PATCHES = 100;
const MAX_PATCHES_AT_ONCE = 50;
const MAX_COLLECTIONS = 20;
const MAX_RECORDS = 20_000;
const MAX_PATCH_BYTES = 256 * 1024;

/**
 * The app state of an account (which chats are archived, how contacts are called, …) as a server sees it: opaque records
 * under opaque indexes, changed by numbered patches that the devices encrypt for each other (Baileys Utils/chat-utils.js).
 * Older patches fall away; a device that lacks them gets a snapshot.
 */
export class AppState {
  readonly #collections = new Map<string, Collection>();

  constructor(record: AppStateRecord = []) {
    for (const { name, records, ...rest } of record) {
      this.#collections.set(name, { ...rest, records: new Map(records) });
    }
  }

  version(name: string): number {
    return this.#collections.get(name)?.version ?? 0;
  }

  /** Takes the patch that follows `version`; false if that is not the latest one. Throws `Malformed` for no patch at all. */
  submit(name: string, version: number, bytes: Uint8Array): boolean {
    const patch = decode(bytes);
    const changes = changesOf(patch);
    if (version !== this.version(name)) return false;
    const collection = this.#collections.get(name) ?? this.#create(name);
    if (collection.records.size + changes.length > MAX_RECORDS) throw new Malformed("too much app state");
    for (const [index, record] of changes) {
      if (record) collection.records.set(index, record);
      else collection.records.delete(index);
    }
    collection.version++;
    collection.snapshotMac = patch.snapshotMac ?? new Uint8Array();
    collection.keyId = patch.keyId?.id ?? new Uint8Array();
    patch.version = { version: collection.version };
    collection.patches.push(proto.SyncdPatch.encode(patch).finish());
    if (collection.patches.length > MAX_PATCHES) collection.patches.shift();
    return true;
  }

  /** A snapshot is given to those who need it: nobody has the patches any more, or what they have is no use to them. */
  catchUp(name: string, version: number, isSnapshotWanted: boolean): CatchUp {
    const collection = this.#collections.get(name);
    if (!collection) return { version: 0, patches: [], hasMore: false, snapshot: undefined };
    const oldest = collection.version - collection.patches.length;
    if (version < oldest || (isSnapshotWanted && version > 0)) {
      return { version: collection.version, patches: [], hasMore: false, snapshot: snapshotOf(collection) };
    }
    const lacking = collection.patches.slice(version - oldest);
    const patches = lacking.slice(0, MAX_PATCHES_AT_ONCE);
    return { version: collection.version, patches, hasMore: patches.length < lacking.length, snapshot: undefined };
  }

  /** Everything at once; `undefined` if nothing was ever set. */
  snapshot(name: string): proto.ISyncdSnapshot | undefined {
    const collection = this.#collections.get(name);
    return collection && proto.SyncdSnapshot.decode(snapshotOf(collection));
  }

  #create(name: string): Collection {
    if (this.#collections.size >= MAX_COLLECTIONS) throw new Malformed("too many collections");
    const created: Collection = {
      version: 0,
      patches: [],
      records: new Map(),
      snapshotMac: new Uint8Array(),
      keyId: new Uint8Array(),
    };
    this.#collections.set(name, created);
    return created;
  }

  toRecord(): AppStateRecord {
    return [...this.#collections].map(([name, { records, ...rest }]) => ({ name, records: [...records], ...rest }));
  }
}

function decode(bytes: Uint8Array): proto.SyncdPatch {
  if (bytes.length > MAX_PATCH_BYTES) throw new Malformed("a patch that is too large");
  try {
    return proto.SyncdPatch.decode(bytes);
  } catch {
    throw new Malformed("a patch that cannot be read");
  }
}

/** By index; `undefined` for what is removed. */
function changesOf({ mutations }: proto.SyncdPatch): [index: string, record: Uint8Array | undefined][] {
  return mutations.map(({ operation, record }) => {
    const index = Buffer.from(record?.index?.blob ?? []).toString("base64");
    if (!record || index === "") throw new Malformed("a mutation without an index");
    const isRemoved = operation === proto.SyncdMutation.SyncdOperation.REMOVE;
    return [index, isRemoved ? undefined : proto.SyncdRecord.encode(record).finish()];
  });
}

function snapshotOf({ version, records, snapshotMac, keyId }: Collection): Uint8Array {
  return proto.SyncdSnapshot.encode({
    version: { version },
    records: [...records.values()].map((bytes) => proto.SyncdRecord.decode(bytes)),
    mac: snapshotMac,
    keyId: { id: keyId },
  }).finish();
}
