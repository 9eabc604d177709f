import type { Storage } from "../../../shared/storage.ts";

/**
 * A storage to which each log entry takes `latencyMs`, and whose log entries can be held up: on the way there (not
 * stored) or on the way back (stored, but nobody has been told).
 */
export function heldStorage(inner: Storage, latencyMs = 0) {
  const over: { request?: Promise<void>; reply?: Promise<void> } = {};
  const releases = new Set<() => void>();

  const storage: Storage = {
    get: (key) => inner.get(key),
    replaceIf: (key, body, etag) => inner.replaceIf(key, body, etag),
    list: (prefix, startAfter) => inner.list(prefix, startAfter),
    listSized: (prefix, startAfter) => inner.listSized(prefix, startAfter),
    listFolders: (prefix) => inner.listFolders(prefix),
    delete: (keys) => inner.delete(keys),
    selfTest: () => inner.selfTest(),
    close: () => inner.close(),
    async createIfAbsent(key, body) {
      if (!key.startsWith("log/")) return await inner.createIfAbsent(key, body);
      if (latencyMs) await new Promise((resolve) => setTimeout(resolve, latencyMs));
      await over.request;
      const outcome = await inner.createIfAbsent(key, body);
      await over.reply;
      return outcome;
    },
  };

  return {
    inner,
    storage,
    /** Holds up all entries that come, until the answer is called. */
    hold(what: "request" | "reply" = "request"): () => void {
      let release = () => {};
      const mine = new Promise<void>((resolve) => (release = resolve));
      over[what] = mine;
      releases.add(release);
      return () => {
        if (over[what] === mine) delete over[what];
        release();
      };
    },
    releaseAll(): void {
      delete over.request;
      delete over.reply;
      for (const release of releases) release();
    },
  };
}
