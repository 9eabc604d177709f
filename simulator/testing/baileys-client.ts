import "../quiet.ts";
import {
  BufferJSON,
  DisconnectReason,
  initAuthCreds,
  makeWASocket,
  proto,
  WA_CERT_DETAILS,
  type AnyMessageContent,
  type AuthenticationState,
  type ConnectionState,
  type MiscMessageGenerationOptions,
  type SignalDataSet,
  type SignalDataTypeMap,
  type UserFacingSocketConfig,
  type WAMessage,
  type WASocket,
} from "@whiskeysockets/baileys";
import { silentLogger } from "../phone/silent-logger.ts";
import type { Simulator } from "../server.ts";
import { control } from "./control.ts";
import { mediaAgents } from "./media-agents.ts";
import { until } from "./until.ts";

/** A program built on unmodified Baileys, linked to a phone of the simulator: the other end in tests. */
export class BaileysClient {
  readonly auth: AuthenticationState;
  /** Every message event, in order, with the kind of upsert it came in. */
  readonly received: (WAMessage & { upsert: "notify" | "append" })[] = [];
  /** `id:status` of each message update. */
  readonly statuses: string[] = [];
  /** Status codes with which connections ended, 515 included. */
  readonly closes: number[] = [];
  readonly acks: { id: string; error: string | undefined }[] = [];
  qr: string | undefined;
  pairingCode: string | undefined;
  isOpen = false;
  /** Called with each new socket before anything happens on it, for listeners that must miss nothing. */
  onConnect: (socket: WASocket) => void = () => {};
  /** For all connections. */
  config: Partial<UserFacingSocketConfig> = {};
  #socket: WASocket | undefined;
  readonly #simulator: Simulator;
  readonly #sent = new Map<string, proto.IMessage>();

  constructor(simulator: Simulator, auth: AuthenticationState = createAuth()) {
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(simulator.rootPublicKey, "base64");
    this.#simulator = simulator;
    this.auth = auth;
  }

  get socket(): WASocket {
    if (!this.#socket) throw new Error("not connected");
    return this.#socket;
  }

  get jid(): string {
    return this.auth.creds.me?.id ?? "";
  }

  /** Opens one connection; returns when it is open, or shows a QR code, or has ended. */
  async connect(codeFor?: string, config: Partial<UserFacingSocketConfig> = {}): Promise<void> {
    this.qr = undefined;
    this.isOpen = false;
    const ends = this.closes.length;
    const { fetchAgent, dispatcher } = mediaAgents(Number(new URL(this.#simulator.url).port));
    const socket = makeWASocket({
      fetchAgent,
      options: { dispatcher } as RequestInit,
      waWebSocketUrl: this.#simulator.wsUrl,
      auth: this.auth,
      logger: silentLogger,
      browser: ["Ubuntu", "Chrome", "22.04.4"],
      getMessage: (key) => Promise.resolve(this.#sent.get(key.id ?? "")),
      ...this.config,
      ...config,
    });
    this.#socket = socket;
    this.onConnect(socket);
    socket.ev.on("creds.update", (update) => Object.assign(this.auth.creds, update));
    socket.ev.on("connection.update", (update) => void this.#follow(socket, update, codeFor));
    socket.ev.on("messages.upsert", ({ messages, type }) => {
      for (const message of messages) {
        this.received.push({ ...message, upsert: type });
        if (message.status) this.statuses.push(`${message.key.id}:${message.status}`);
      }
    });
    socket.ev.on("messages.update", (updates) => {
      for (const { key, update } of updates) if (update.status) this.statuses.push(`${key.id}:${update.status}`);
    });
    socket.ws.on("CB:ack,class:message", ({ attrs }: { attrs: Record<string, string> }) => {
      this.acks.push({ id: attrs["id"] ?? "", error: attrs["error"] });
    });
    await until(() => this.isOpen || this.qr !== undefined || this.closes.length > ends);
  }

  /** Shows a QR code, lets the phone scan it, comes back after the 515, takes in the first history. */
  async link(phone: string): Promise<void> {
    await this.connect();
    const { status, body } = await control(this.#simulator, "POST", `/phones/${phone}/scan`, { qr: this.qr });
    if (status !== 200) throw new Error(`scan: ${JSON.stringify(body)}`);
    await until(() => this.closes.at(-1) === DisconnectReason.restartRequired);
    await this.connect();
    await until(() => this.auth.creds.accountSyncCounter > 0);
  }

  /** Sends a text and remembers it for retries, as an application with `getMessage` does. */
  async sendText(phone: string, text: string, messageId?: string): Promise<string> {
    return this.send(`${phone}@s.whatsapp.net`, { text }, messageId === undefined ? {} : { messageId });
  }

  /** Sends anything to anyone and remembers it for retries. */
  async send(jid: string, content: AnyMessageContent, options: MiscMessageGenerationOptions = {}): Promise<string> {
    const sent = await this.socket.sendMessage(jid, content, options);
    if (!sent?.key.id || !sent.message) throw new Error("nothing was sent");
    this.#sent.set(sent.key.id, sent.message);
    return sent.key.id;
  }

  /** A message that came from elsewhere, waiting for it. */
  async message(id: string): Promise<WAMessage> {
    const find = () => this.received.find(({ key, message }) => key.id === id && message);
    await until(() => find() !== undefined, `message ${id}`);
    return find() as WAMessage;
  }

  /** Texts that came from elsewhere and can be read, with the ids they came under. */
  texts(): { id: string; text: string; fromMe: boolean; upsert: string }[] {
    return this.received.flatMap(({ key, message, upsert }) => {
      const text = message?.conversation ?? message?.extendedTextMessage?.text;
      const id = key.id ?? "";
      return text && !this.#sent.has(id) ? [{ id, text, fromMe: key.fromMe === true, upsert }] : [];
    });
  }

  /** Credentials and keys as an application would load them again from its storage. */
  storedAuth(): AuthenticationState {
    const { creds, keys } = this.auth;
    const values = (keys as MemoryKeys).values;
    const copy = JSON.parse(JSON.stringify({ creds, values: [...values] }, BufferJSON.replacer), BufferJSON.reviver);
    return { creds: copy.creds, keys: new MemoryKeys(new Map(copy.values)) };
  }

  /** Ends the connection and opens another one, with the same credentials. */
  async connectAgain(config: Partial<UserFacingSocketConfig> = {}): Promise<void> {
    await this.end();
    await this.connect(undefined, config);
  }

  async end(): Promise<void> {
    await this.#socket?.end(undefined);
    this.isOpen = false;
  }

  async #follow(socket: WASocket, update: Partial<ConnectionState>, codeFor: string | undefined): Promise<void> {
    if (update.qr) {
      if (codeFor !== undefined && !this.pairingCode) this.pairingCode = await socket.requestPairingCode(codeFor);
      this.qr = update.qr;
    }
    if (update.connection === "open") this.isOpen = true;
    if (update.connection === "close") {
      this.isOpen = false;
      socket.ev.flush(); // what Baileys holds back at this moment would be lost with the connection, receipts sent or not
      const error = update.lastDisconnect?.error as { output?: { statusCode?: number } } | undefined;
      this.closes.push(error?.output?.statusCode ?? 0);
    }
  }
}

class MemoryKeys {
  readonly values: Map<string, unknown>;

  constructor(values = new Map<string, unknown>()) {
    this.values = values;
  }

  get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]): Record<string, SignalDataTypeMap[T]> {
    const found = ids.map((id) => [id, whole(type, this.values.get(`${type}|${id}`))]);
    return Object.fromEntries(found.filter(([, value]) => value !== undefined));
  }

  set(data: SignalDataSet): void {
    for (const [type, values] of Object.entries(data)) {
      for (const [id, value] of Object.entries(values)) {
        if (value === null) this.values.delete(`${type}|${id}`);
        else this.values.set(`${type}|${id}`, value);
      }
    }
  }
}

/** App-state keys are protobuf objects, whose JSON has base64 for bytes (Baileys Utils/use-multi-file-auth-state.js). */
function whole(type: keyof SignalDataTypeMap, value: unknown): unknown {
  if (type !== "app-state-sync-key" || value === undefined) return value;
  return proto.Message.AppStateSyncKeyData.fromObject(value as object);
}

function createAuth(): AuthenticationState {
  return { creds: initAuthCreds(), keys: new MemoryKeys() };
}
