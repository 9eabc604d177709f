import {
  ALL_WA_PATCH_NAMES,
  chatModificationToAppPatch,
  decodeSyncdSnapshot,
  encodeSyncdPatch,
  newLTHashState,
  proto,
  type ChatModification,
  type WAPatchName,
} from "@whiskeysockets/baileys";
import type { Account } from "../network/account.ts";
import { announce } from "../network/announce.ts";
import type { Network } from "../network/network.ts";
import { node, SERVER } from "../wire/node.ts";
import type { AppStateKey } from "./app-state-key.ts";

/** One thing that is set, as all devices of the account know it: `["pin_v1", <chat>]` and `{pinAction: {pinned: true}}`. */
export type AppStateEntry = { index: string[]; value: Record<string, unknown> };

/** Each time somebody else was faster. */
const MAX_ATTEMPTS = 5;

/** What a phone sees and changes in the account's app state, with the key that all its devices have. */
export class AppStateDesk {
  readonly #network: Network;
  readonly #account: Account;
  readonly #key: AppStateKey;

  constructor(network: Network, account: Account, key: AppStateKey) {
    this.#network = network;
    this.#account = account;
    this.#key = key;
  }

  /** Everything that is set. Throws if a device wrote what this key does not open. */
  async read(): Promise<AppStateEntry[]> {
    const entries: AppStateEntry[] = [];
    for (const name of ALL_WA_PATCH_NAMES) entries.push(...(await this.#load(name)).entries);
    return entries;
  }

  /** Changes something and tells the linked devices; `jid` is the chat or the person it is about. Throws as `read` does. */
  async change(modification: ChatModification, jid: string): Promise<void> {
    const mutation = chatModificationToAppPatch(modification, jid);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const { state } = await this.#load(mutation.type);
      const keyId = Buffer.from(this.#key.keyId).toString("base64");
      const { patch } = await encodeSyncdPatch(mutation, keyId, state, this.#find);
      const bytes = proto.SyncdPatch.encode(patch).finish();
      if (!this.#account.appState.submit(mutation.type, state.version, bytes)) continue;
      this.#network.changed(this.#account);
      const content = [node("collection", { name: mutation.type, version: String(state.version + 1) })];
      announce(this.#network, this.#account, { type: "server_sync", from: SERVER, content });
      return;
    }
    throw new Error(`the collection ${mutation.type} is never at rest`);
  }

  async #load(name: WAPatchName) {
    const snapshot = this.#account.appState.snapshot(name);
    if (!snapshot) return { state: newLTHashState(), entries: [] };
    const { state, mutationMap } = await decodeSyncdSnapshot(name, snapshot, this.#find, undefined, false);
    const entries = Object.values(mutationMap).map(({ index, syncAction }): AppStateEntry => {
      const value = proto.SyncActionValue.create(syncAction.value ?? {}).toJSON();
      return { index, value };
    });
    return { state, entries };
  }

  readonly #find = (keyId: string): Promise<proto.Message.IAppStateSyncKeyData | undefined> => {
    const isOurs = keyId === Buffer.from(this.#key.keyId).toString("base64");
    return Promise.resolve(isOurs ? { keyData: this.#key.keyData } : undefined);
  };
}
