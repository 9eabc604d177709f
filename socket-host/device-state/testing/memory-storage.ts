import { createHash } from "node:crypto";
import type { Storage, StoredObject } from "../../../shared/storage.ts";

/** A bucket in memory, with the conditions of a real one. Each call takes effect in the tick it is made. */
export class MemoryStorage implements Storage {
  readonly objects: Map<string, StoredObject>;

  /** Another's objects: the same bucket, seen through another client. */
  constructor(objects = new Map<string, StoredObject>()) {
    this.objects = objects;
  }

  async get(key: string) {
    return this.objects.get(key);
  }

  async createIfAbsent(key: string, body: Buffer) {
    return (await this.replaceIf(key, body, undefined)) === "changed" ? "exists" : "created";
  }

  async replaceIf(key: string, body: Buffer, etag: string | undefined) {
    if (this.objects.get(key)?.etag !== etag) return "changed";
    const stored = { body: Buffer.from(body), etag: createHash("md5").update(body).digest("hex") };
    this.objects.set(key, stored);
    return { etag: stored.etag };
  }

  async list(prefix: string, startAfter = "") {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > startAfter).sort();
  }

  async listSized(prefix: string, startAfter = "") {
    const keys = await this.list(prefix, startAfter);
    return keys.map((key) => ({ key, bytes: this.objects.get(key)?.body.length ?? 0 }));
  }

  async listFolders(prefix: string) {
    const below = [...this.objects.keys()].filter((key) => key.startsWith(prefix));
    const folders = below.flatMap((key) => /^([^/]+)\//.exec(key.slice(prefix.length))?.[1] ?? []);
    return [...new Set(folders)].sort();
  }

  async delete(keys: readonly string[]) {
    for (const key of keys) this.objects.delete(key);
  }

  async selfTest() {}
  close() {}
}
