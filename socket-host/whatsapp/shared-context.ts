import asyncHooks, { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";

type Entry = { owner: object; store: unknown };

/** By itself: whoever imports it by name sees what stands in its place. */
const NodeStorage = AsyncLocalStorage;
const shared = new NodeStorage<Entry>();

/** What Baileys uses of an `AsyncLocalStorage`, as one of many on a single real one. A flow of work belongs to one owner. */
class SharedStorage {
  getStore(): unknown {
    const entry = shared.getStore();
    return entry?.owner === this ? entry.store : undefined;
  }

  run<Result>(store: unknown, work: () => Result): Result {
    return shared.run({ owner: this, store }, work);
  }
}

/**
 * Runs `make`, which may create `AsyncLocalStorage`s, so that all of them are one. Each socket of Baileys has one of its own
 * for its transactions (lib/Utils/auth-utils.js, addTransactionCapability). Before Node 24 every promise is told to every
 * storage that there is, and a storage that was used once is kept for ever: promises would be slower with every
 * connection that a process has ever had.
 */
export function withSharedContext<Result>(make: () => Result): Result {
  replaceStorage(SharedStorage);
  try {
    return make();
  } finally {
    replaceStorage(NodeStorage);
  }
}

/** Also for those who have imported it by name. */
function replaceStorage(storage: typeof NodeStorage | typeof SharedStorage): void {
  Object.assign(asyncHooks, { AsyncLocalStorage: storage });
  syncBuiltinESMExports();
}
