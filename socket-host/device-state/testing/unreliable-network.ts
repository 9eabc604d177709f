import type { Storage } from "../../../shared/storage.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** How long a client waits for an answer before it gives the request up; the request may still arrive after that. */
const GIVE_UP_MS = 10_000;
const MOST_LATE_MS = 40_000;
/** As `shared/storage.ts` does on 409. */
const CONFLICT_ATTEMPTS = 8;
const CONFLICT_PAUSE_MS = 25;

/** The process behind a connection: frozen, it neither sends nor hears; dead, it never does again. */
export type Client = { thaw: () => Promise<void> };

/**
 * A bucket as it looks from one host. Requests and answers take their time, and now and then a request is lost,
 * refused (503), in conflict (409), late (the client has given it up when it arrives) or repeated by something on the
 * way; an answer is lost, and the client asks again or gives up. Only what the bucket itself decides, such as 412, is
 * as in `Storage`.
 */
export function unreliableNetwork(bucket: Storage, time: VirtualTime, random: () => number, client: Client): Storage {
  const travel = () => time.sleep(random() < 0.9 ? random() * 40 : random() * 3_000);
  /** Something that nobody waits for. */
  const later = async (work: () => Promise<unknown>) => {
    await time.sleep(random() * MOST_LATE_MS);
    await work();
  };

  async function ask<Result>(work: () => Promise<Result>, attempt = 1): Promise<Result> {
    await client.thaw();
    await travel();
    const dice = random();
    if (dice < 0.015) {
      await time.sleep(GIVE_UP_MS);
      await client.thaw();
      throw new Error("the request was lost");
    }
    if (dice < 0.03) {
      await travel();
      await client.thaw();
      throw new Error("503 SlowDown");
    }
    if (dice < 0.05) {
      await travel();
      await time.sleep(CONFLICT_PAUSE_MS * attempt);
      await client.thaw();
      if (attempt === CONFLICT_ATTEMPTS) throw new Error("409 ConditionalRequestConflict");
      return await ask(work, attempt + 1);
    }
    if (dice < 0.06) {
      void later(work);
      await time.sleep(GIVE_UP_MS);
      await client.thaw();
      throw new Error("given up before it arrived");
    }
    const result = await work();
    if (dice < 0.07) void later(work);
    await travel();
    await client.thaw();
    if (dice < 0.09) return await ask(work, 1);
    if (dice < 0.11) throw new Error("the answer was lost");
    return result;
  }

  return {
    get: (key) => ask(() => bucket.get(key)),
    createIfAbsent: (key, body) => ask(() => bucket.createIfAbsent(key, body)),
    replaceIf: (key, body, etag) => ask(() => bucket.replaceIf(key, body, etag)),
    list: (prefix, startAfter) => ask(() => bucket.list(prefix, startAfter)),
    listSized: (prefix, startAfter) => ask(() => bucket.listSized(prefix, startAfter)),
    listFolders: (prefix) => ask(() => bucket.listFolders(prefix)),
    delete: (keys) => ask(() => bucket.delete(keys)),
    selfTest: () => bucket.selfTest(),
    close: () => bucket.close(),
  };
}
