import "../quiet.ts";
import {
  generateWAMessageContent,
  initAuthCreds,
  makeWASocket,
  proto,
  unpadRandomMax16,
} from "@whiskeysockets/baileys";
import type { BinaryNode, WASocket } from "@whiskeysockets/baileys";
import { createLog } from "../../../shared/log.ts";
import type { Storage } from "../../../shared/storage.ts";
import type { JournalEntry } from "../../device-state/state.ts";
import { DeviceState } from "../../device-state/state.ts";
import { authKeys } from "../auth-keys.ts";
import { saveCredentials } from "../credentials.ts";
import type { Credentials } from "../credentials.ts";
import { peerStanza } from "../decode/peer-message.ts";
import { deviceLists } from "../device-lists.ts";
import { IncomingMessages } from "../incoming-messages.ts";
import { gatedAgent } from "../output-gate.ts";
import { signalRepository } from "../signal-repository.ts";
import { silentLogger } from "../silent-logger.ts";
import { until } from "./until.ts";

/** Where the state of the one device of a test lies. */
export const PLACE = { prefix: "devices/user/device/", key: Buffer.alloc(32, 6) };

const jidOf = (phone: string) => `${phone}@s.whatsapp.net`;

/** One life of a device: real Baileys on a device state, with nothing around it but what a test looks at. */
export class TestDevice {
  readonly state: DeviceState<Credentials>;
  readonly stats = { redelivered: 0, torn: 0 };
  /** Ids that the server has acknowledged. */
  readonly accepted = new Set<string>();
  /** Codes with which connections ended. */
  readonly closes: number[] = [];
  qr: string | undefined;
  isOpen = false;
  readonly #wsUrl: string;
  #socket: WASocket | undefined;
  #agent: ReturnType<typeof gatedAgent> | undefined;

  private constructor(state: DeviceState<Credentials>, wsUrl: string) {
    this.state = state;
    this.#wsUrl = wsUrl;
  }

  static async load(wsUrl: string, storage: Storage, epoch: number): Promise<TestDevice> {
    const owner = { ...PLACE, storage, epoch };
    const opened = await DeviceState.open({ ...owner, newCreds: initAuthCreds, log: createLog("test", "silent") });
    if (opened.outcome !== "open") throw new Error(JSON.stringify(opened));
    return new TestDevice(opened.state, wsUrl);
  }

  /** Returns when the connection is open, shows a QR, or has ended. */
  async connect(): Promise<void> {
    const { state } = this;
    const incoming = new IncomingMessages();
    const ends = this.closes.length;
    this.#agent = gatedAgent(this.#wsUrl, state);
    const socket = makeWASocket({
      waWebSocketUrl: this.#wsUrl,
      agent: this.#agent,
      logger: silentLogger,
      browser: ["Ubuntu", "Chrome", "22.04.4"],
      auth: { creds: state.creds, keys: authKeys(state) },
      makeSignalRepository: signalRepository(state, {
        begin: (ciphertext) => incoming.begin(ciphertext),
        stats: this.stats,
      }),
      transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 1 },
      userDevicesCache: deviceLists(state),
      getMessage: ({ id }) => {
        const sent = state.getOutbox(id ?? "");
        return Promise.resolve(sent && proto.Message.decode(sent.bytes));
      },
    });
    this.#socket = socket;
    socket.ev.on("creds.update", (update) => saveCredentials(state, update));
    socket.ev.on("connection.update", ({ connection, qr, lastDisconnect }) => {
      if (qr) this.qr = qr;
      if (connection === "open") this.isOpen = true;
      if (connection !== "close") return;
      this.isOpen = false;
      const error = lastDisconnect?.error as { output?: { statusCode?: number } } | undefined;
      this.closes.push(error?.output?.statusCode ?? 0);
    });
    socket.ws.prependListener("CB:message", (stanza: BinaryNode) => incoming.take(stanza));
    socket.ws.on("CB:ack,class:message", ({ attrs }: BinaryNode) => {
      if (attrs["id"] && !attrs["error"]) this.accepted.add(attrs["id"]);
    });
    await until(() => this.isOpen || this.qr !== undefined || this.closes.length > ends);
  }

  /** Comes back after the 515 that follows a scan, and takes in the keys and the history that the phone then sends. */
  async finishLinking(): Promise<void> {
    await until(() => this.closes.at(-1) === 515);
    await this.state.durable();
    await this.connect();
    await until(() => this.state.creds.myAppStateKeyId !== undefined && this.state.creds.accountSyncCounter > 0);
  }

  /** As the product sends: the message is in the outbox before it is encrypted. Resolves when Baileys has written it. */
  async send(phone: string, text: string, id: string): Promise<void> {
    const upload = () => Promise.reject(new Error("a text has nothing to upload"));
    const content = await generateWAMessageContent({ text }, { logger: silentLogger, upload });
    const bytes = Buffer.from(proto.Message.encode(content).finish());
    this.state.putOutbox(id, { to: jidOf(phone), bytes, at: Date.now() });
    await this.#socket?.relayMessage(jidOf(phone), proto.Message.decode(bytes), { messageId: id });
  }

  giveAgain(entry: JournalEntry): void {
    this.#socket?.ws.emit("CB:message", peerStanza(entry));
  }

  /** The texts in the journal. */
  texts(): string[] {
    return [...this.state.inbox.values()].flatMap((entry) => textOf(entry) ?? []);
  }

  /** The process is gone: its connection breaks off, and nothing is told to anyone. */
  crash(): void {
    this.#agent?.destroySockets();
    void this.#socket?.end(undefined);
  }

  async close(): Promise<void> {
    this.crash();
    await this.state.close();
  }
}

function textOf({ plain }: JournalEntry): string | undefined {
  const message = proto.Message.decode(unpadRandomMax16(plain));
  const { conversation, extendedTextMessage } = message.deviceSentMessage?.message ?? message;
  return conversation ?? extendedTextMessage?.text ?? undefined;
}
