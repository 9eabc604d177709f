import "../quiet.ts";
import {
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  generateSignalPubKey,
  initAuthCreds,
  type SignalDataSet,
  type SignalKeyStoreWithTransaction,
  type SignalRepositoryWithLIDStore,
} from "@whiskeysockets/baileys";
import { createLog } from "../../../shared/log.ts";
import type { Storage } from "../../../shared/storage.ts";
import { DeviceState } from "../../device-state/state.ts";
import { MemoryStorage } from "../../device-state/testing/memory-storage.ts";
import type { Credentials } from "../credentials.ts";
import { signalRepository } from "../signal-repository.ts";
import type { SignalStats } from "../signal-repository.ts";
import { silentLogger } from "../silent-logger.ts";

type Bundle = Parameters<SignalRepositoryWithLIDStore["injectE2ESession"]>[0]["session"];
export type Ciphertext = { type: "pkmsg" | "msg"; ciphertext: Uint8Array };

/** One end of Signal conversations: the repository with its keys, and an address by which the other end knows it. */
export class SignalParty {
  readonly jid: string;
  readonly creds: Credentials;
  readonly keys: { set: (data: SignalDataSet) => unknown };
  readonly repository: SignalRepositoryWithLIDStore;
  #preKeys = 0;

  constructor(
    jid: string,
    creds: Credentials,
    keys: { set: (data: SignalDataSet) => unknown },
    repository: SignalRepositoryWithLIDStore,
  ) {
    this.jid = jid;
    this.creds = creds;
    this.keys = keys;
    this.repository = repository;
  }

  /** Keys for one new session with this party. */
  bundle(): Bundle {
    const keyId = ++this.#preKeys;
    const pair = Curve.generateKeyPair();
    this.keys.set({ "pre-key": { [keyId]: pair } });
    const { signedPreKey, signedIdentityKey, registrationId } = this.creds;
    return {
      registrationId,
      identityKey: generateSignalPubKey(signedIdentityKey.public),
      signedPreKey: {
        keyId: signedPreKey.keyId,
        publicKey: generateSignalPubKey(signedPreKey.keyPair.public),
        signature: signedPreKey.signature,
      },
      preKey: { keyId, publicKey: generateSignalPubKey(pair.public) },
    };
  }

  startSession(other: SignalParty, jid = other.jid): Promise<void> {
    return this.repository.injectE2ESession({ jid, session: other.bundle() });
  }

  encrypt(other: SignalParty, text: string, jid = other.jid): Promise<Ciphertext> {
    return this.repository.encryptMessage({ jid, data: Buffer.from(text) });
  }

  async decrypt(other: SignalParty, { type, ciphertext }: Ciphertext, jid = other.jid): Promise<string> {
    return Buffer.from(await this.repository.decryptMessage({ jid, type, ciphertext })).toString();
  }
}

/** As the product has it: on a device state. Opening it again on the same storage is what a restart does. */
export async function ourParty(jid: string, storage: Storage = new MemoryStorage(), epoch = 1) {
  const stats: SignalStats = { redelivered: 0, torn: 0 };
  const opened = await DeviceState.open<Credentials>({
    storage,
    prefix: `devices/user/${jid}/`,
    key: Buffer.alloc(32, 5),
    epoch,
    newCreds: initAuthCreds,
    log: createLog("test", "silent"),
  });
  if (opened.outcome !== "open") throw new Error(opened.outcome);
  const { state } = opened;
  state.saveCreds({});
  const make = signalRepository(state, { begin: () => ({ attrs: { id: "stanza" } }), stats });
  const repository = make({ creds: state.creds, keys: plainKeys() }, silentLogger);
  return { party: new SignalParty(jid, state.creds, state, repository), state, stats };
}

/** Baileys' repository as it comes, on a map: it stands for the other side, and for what the repairs change. */
export function plainParty(jid: string): SignalParty {
  const creds = initAuthCreds();
  const keys = plainKeys();
  const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds, keys }, silentLogger);
  return new SignalParty(jid, creds, keys, repository);
}

function plainKeys(): SignalKeyStoreWithTransaction {
  const values = new Map<string, unknown>();
  return {
    get: async (type, ids) => {
      const found = ids.map((id) => [id, structuredClone(values.get(`${type}|${id}`))]);
      return Object.fromEntries(found.filter(([, value]) => value !== undefined));
    },
    set: async (data) => {
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, value] of Object.entries(entries ?? {})) values.set(`${type}|${id}`, value ?? undefined);
      }
    },
    transaction: (work) => work(),
    isInTransaction: () => false,
  };
}
