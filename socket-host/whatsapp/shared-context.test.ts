import { AsyncLocalStorage } from "node:async_hooks";
import { addTransactionCapability } from "@whiskeysockets/baileys";
import type { SignalDataSet, SignalKeyStore } from "@whiskeysockets/baileys";
import { describe, expect, it } from "vitest";
import { silentLogger } from "./silent-logger.ts";
import { withSharedContext } from "./shared-context.ts";

const options = { maxCommitRetries: 1, delayBetweenTriesMs: 1 };

/** A key store of Baileys with transactions, and what was written through it. */
function storeOfBaileys() {
  const written: SignalDataSet[] = [];
  const plain: SignalKeyStore = {
    get: () => Promise.resolve({}),
    set: async (data) => void written.push(data),
  };
  const store = withSharedContext(() => addTransactionCapability(plain, silentLogger, options));
  return { store, written };
}
const session = (id: string) => ({ session: { [id]: new Uint8Array([1]) } });

describe("storages that share one context", () => {
  it("keep Baileys' transactions apart, nested ones together, and nobody else's outside", async () => {
    const [one, other] = [storeOfBaileys(), storeOfBaileys()];
    const isSeen: boolean[] = [];
    await one.store.transaction(async () => {
      await one.store.set(session("first"));
      isSeen.push(one.store.isInTransaction(), other.store.isInTransaction());
      await new Promise((resolve) => setImmediate(resolve));
      await other.store.set(session("of the other"));
      await one.store.transaction(async () => await one.store.set(session("second")), "the same key");
      expect(one.written).toEqual([]);
    }, "the same key");
    expect(isSeen).toEqual([true, false]);
    expect(one.written).toEqual([{ session: { ...session("first").session, ...session("second").session } }]);
    expect(other.written).toEqual([session("of the other")]);
    expect(one.store.isInTransaction()).toBe(false);
  });

  it("leave everybody else the storage of Node", () => {
    storeOfBaileys();
    expect(new AsyncLocalStorage().constructor.name).toBe("AsyncLocalStorage");
  });
});
