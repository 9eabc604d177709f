import type { Storage } from "../../../shared/storage.ts";

/** With a lost reply the caller's own client asks again; with no reply at all the caller learns nothing. */
export type Fault = "lost request" | "lost reply" | "no reply";
export type Call = { method: "get" | "createIfAbsent" | "replaceIf" | "list" | "delete"; key: string };

/**
 * A storage whose calls wait and fail as the test says. `before` is awaited before each attempt and answers what goes
 * wrong with it. After a lost reply the call is made again, as the SDK does, and may meet its own first attempt.
 */
export function shakyStorage(inner: Storage, before: (call: Call) => Promise<Fault | undefined>): Storage {
  async function pass<Result>(call: Call, work: () => Promise<Result>): Promise<Result> {
    const fault = await before(call);
    if (fault === "lost request") throw new Error(`${call.method} ${call.key}: not reached`);
    const result = await work();
    if (fault === "no reply") throw new Error(`${call.method} ${call.key}: no reply`);
    return fault === "lost reply" ? await pass(call, work) : result;
  }
  return {
    get: (key) => pass({ method: "get", key }, () => inner.get(key)),
    createIfAbsent: (key, body) => pass({ method: "createIfAbsent", key }, () => inner.createIfAbsent(key, body)),
    replaceIf: (key, body, etag) => pass({ method: "replaceIf", key }, () => inner.replaceIf(key, body, etag)),
    list: (prefix, startAfter) => pass({ method: "list", key: prefix }, () => inner.list(prefix, startAfter)),
    listSized: (prefix, after) => pass({ method: "list", key: prefix }, () => inner.listSized(prefix, after)),
    listFolders: (prefix) => pass({ method: "list", key: prefix }, () => inner.listFolders(prefix)),
    delete: (keys) => pass({ method: "delete", key: keys[0] ?? "" }, () => inner.delete(keys)),
    selfTest: () => inner.selfTest(),
    close: () => inner.close(),
  };
}
