import "./quiet.ts";
import { DEFAULT_CONNECTION_CONFIG } from "@whiskeysockets/baileys";
import type { SignalRepositoryWithLIDStore, SocketConfig } from "@whiskeysockets/baileys";
import type { DeviceState } from "../device-state/state.ts";
import { breathe } from "./breathe.ts";
import type { Credentials } from "./credentials.ts";
import { deviceLock } from "./device-lock.ts";
import { directKeys } from "./direct-keys.ts";
import { journalKey, journalMessage } from "./journal-message.ts";
import { lidLookup } from "./lid-lookup.ts";
import { sessionOrder } from "./session-record.ts";

/** The stanza that a ciphertext came in. */
type Stanza = { attrs: Record<string, string> };

/**
 * `redelivered` counts ciphertexts answered from the journal. `torn` counts decrypts in whose midst an append began, so
 * that a ratchet step may have been stored without its plaintext: it must stay 0.
 */
export type SignalStats = { redelivered: number; torn: number };

type Options = {
  /** Called with each ciphertext of a message before it is decrypted, see `IncomingMessages`. */
  begin: (ciphertext: Uint8Array) => Stanza | undefined;
  stats?: SignalStats;
};

/**
 * The `makeSignalRepository` option for a Baileys socket: Baileys' own repository (libsignal inside), but standing
 * directly on the device state, one operation at a time, and journaling what it decrypts. A ciphertext that comes again
 * is answered from the journal, as its ratchet step is gone: Baileys then sends its receipt once more.
 *
 * Every method does CPU work only, so the lock is never held for long; what may ask the network (the LID of a phone
 * number) is done before it is taken.
 */
export function signalRepository(
  state: DeviceState<Credentials>,
  { begin, stats = { redelivered: 0, torn: 0 } }: Options,
): SocketConfig["makeSignalRepository"] {
  return (auth, logger, pnToLid) => {
    const keys = directKeys(state);
    const lock = deviceLock();
    const { creds } = auth;
    const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds, keys }, logger, lidLookup(pnToLid));

    async function withAddress<Result>(jid: string, work: () => Promise<Result>): Promise<Result> {
      if (jid.endsWith("@s.whatsapp.net") || jid.endsWith("@hosted")) await repository.lidMapping.getLIDForPN(jid);
      return await lock(work);
    }

    async function journaled(ciphertext: Uint8Array, kind: string, decrypt: () => Promise<Uint8Array>) {
      const stanza = begin(ciphertext);
      const key = journalKey(ciphertext);
      const known = state.inbox.get(key);
      if (known) {
        stats.redelivered += 1;
        return known.plain;
      }
      const before = state.appends;
      const plain = Buffer.from(await decrypt());
      if (state.appends !== before) stats.torn += 1;
      journalMessage(state, { key, attrs: stanza?.attrs ?? {}, kind, plain });
      return plain;
    }

    /** See session-record.ts. Sessions are tried in libsignal's own order; the last failure is the one to report. */
    async function decryptWithEach(options: Parameters<SignalRepositoryWithLIDStore["decryptMessage"]>[0]) {
      const address = await sessionAddress(options.jid);
      const record = keys.sessionRecord(address);
      const order = record ? sessionOrder(record) : [];
      // One session alone has no other to spoil.
      if (order.length < 2) return await repository.decryptMessage(options);
      let failure: unknown;
      for (const baseKey of order) {
        try {
          return await keys.showingOnly(address, baseKey, () => repository.decryptMessage(options));
        } catch (error) {
          failure = error;
        }
      }
      throw failure;
    }

    /** Where libsignal looks for the session: under the LID as soon as it is known (lib/Signal/libsignal.js). */
    async function sessionAddress(jid: string): Promise<string> {
      const lid = await repository.lidMapping.getLIDForPN(jid);
      return repository.jidToSignalProtocolAddress(lid ?? jid);
    }

    return {
      ...repository,
      async decryptMessage(options) {
        await breathe();
        const { jid, type, ciphertext } = options;
        const decrypt = () => (type === "msg" ? decryptWithEach(options) : repository.decryptMessage(options));
        return await withAddress(jid, () => journaled(ciphertext, type, decrypt));
      },
      async decryptGroupMessage(options) {
        await breathe();
        return await lock(() => journaled(options.msg, "skmsg", () => repository.decryptGroupMessage(options)));
      },
      processSenderKeyDistributionMessage: (options) =>
        lock(() => repository.processSenderKeyDistributionMessage(options)),
      encryptMessage: (options) => withAddress(options.jid, () => repository.encryptMessage(options)),
      encryptGroupMessage: (options) => lock(() => repository.encryptGroupMessage(options)),
      getSenderKeyDistributionMessage: (options) => lock(() => repository.getSenderKeyDistributionMessage(options)),
      injectE2ESession: (options) => withAddress(options.jid, () => repository.injectE2ESession(options)),
      // Reading goes through the lock too: it must not see a record while one session of it is shown.
      validateSession: (jid) => withAddress(jid, () => repository.validateSession(jid)),
      getSessionInfo: (jid) => withAddress(jid, () => repository.getSessionInfo(jid)),
      deleteSession: (jids) => lock(() => repository.deleteSession(jids)),
      migrateSession: (fromJid, toJid) => lock(() => repository.migrateSession(fromJid, toJid)),
    };
  };
}
