import { initAuthCreds, makeWASocket, WA_CERT_DETAILS } from "@whiskeysockets/baileys";
import type { AuthenticationCreds, BinaryNode, SignalDataSet } from "@whiskeysockets/baileys";

/** What logs in again, in another process, too. */
export type RawAccount = { creds: AuthenticationCreds; keys: Map<string, unknown> };

/** Baileys as it comes, keys in memory: the floor that the gateway is measured against. */
export type RawBaileys = {
  /** Given to `rawBaileys`, after `close`. */
  account: RawAccount;
  /** Sends a text and waits for the server's acknowledgement, as the gateway does. */
  send: (to: string, text: string) => Promise<void>;
  /** Messages of others that were decrypted so far. */
  received: () => number;
  close: () => void;
};

const nothing = () => undefined;
const logger = {
  level: "silent",
  child: () => logger,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};

let sentCount = 0;

/** Logs in, or links a new device by showing `scan` its QR, and resolves when it is open. */
export async function rawBaileys(
  simulator: { wsUrl: string; rootPublicKey: string },
  scan: (qr: string) => Promise<unknown>,
  account: RawAccount = { creds: initAuthCreds(), keys: new Map() },
): Promise<RawBaileys> {
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(simulator.rootPublicKey, "base64");
  for (const name of ["log", "info", "warn", "error"] as const) silence(name);
  const auth = { creds: account.creds, keys: memoryKeys(account.keys) };
  for (;;) {
    const sock = makeWASocket({ waWebSocketUrl: simulator.wsUrl, logger, auth, markOnlineOnConnect: false });
    sock.ev.on("creds.update", (update) => Object.assign(auth.creds, update));
    const isOpen = await new Promise<boolean>((resolve) => {
      sock.ev.on("connection.update", ({ qr, connection }) => {
        if (qr) void scan(qr);
        if (connection === "open") resolve(true);
        if (connection === "close") resolve(false);
      });
    });
    if (!isOpen) continue;
    const waiting = new Map<string, () => void>();
    sock.ws.on("CB:ack,class:message", ({ attrs }: BinaryNode) => waiting.get(attrs["id"] ?? "")?.());
    let received = 0;
    sock.ev.on("messages.upsert", ({ messages }) => {
      received += messages.filter(({ key, message }) => !key.fromMe && message).length;
    });
    return {
      account,
      async send(to, text) {
        const messageId = `3EB0${String(++sentCount).padStart(18, "0")}`;
        const acknowledged = new Promise<void>((resolve) => waiting.set(messageId, resolve));
        await sock.sendMessage(to, { text }, { messageId });
        await acknowledged;
        waiting.delete(messageId);
      },
      received: () => received,
      close: () => void sock.end(undefined),
    };
  }
}

function memoryKeys(values: RawAccount["keys"]) {
  return {
    get: (type: string, ids: string[]) => {
      const found = ids.flatMap((id) => (values.has(`${type}|${id}`) ? [[id, values.get(`${type}|${id}`)]] : []));
      return Promise.resolve(Object.fromEntries(found));
    },
    set: (data: SignalDataSet) => {
      for (const [type, records] of Object.entries(data)) {
        for (const [id, value] of Object.entries(records ?? {})) values.set(`${type}|${id}`, value ?? undefined);
      }
      return Promise.resolve();
    },
  };
}

/** libsignal prints session keys through the console. */
function silence(name: "log" | "info" | "warn" | "error"): void {
  const original = console[name].bind(console);
  console[name] = (...values: unknown[]) => {
    if (!/session|decrypt|bad mac/i.test(String(values[0]))) original(...values);
  };
}
