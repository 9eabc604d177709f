import type { proto } from "@whiskeysockets/baileys";
import type { RawData, WebSocket } from "ws";
import type { Certificates } from "./certificates.ts";
import { decodeStanza } from "./decode-stanza.ts";
import { encodeStanza } from "./encode-stanza.ts";
import { NoiseServer, type NoiseEvent } from "./noise.ts";
import type { BinaryNode } from "./node.ts";

/** What happens on a connection; `bytes` are a stanza as it is encoded. Stanzas come one after the other; an exception from a handler cuts the connection. */
export type ConnectionEvents = {
  /** The handshake is done: the client says who it is (login) or what it brings (registration). */
  onHello(payload: proto.ClientPayload, clientKey: Buffer): void;
  onStanza(stanza: BinaryNode, bytes: Buffer): void | Promise<void>;
  onSent(stanza: BinaryNode, bytes: Buffer): void;
  /** The client sent something that cannot be read or makes no sense; the connection has been cut. */
  onBroken(reason: unknown): void;
  onClosed(): void;
};

const CLOSE_TIMEOUT_MS = 1_000;

/** One WebSocket of a client, speaking Noise frames with WhatsApp's binary stanzas inside. */
export class Connection {
  /** The half-open fault that made this connection deaf and dumb: nothing is read, nothing is sent, TCP stays up. */
  frozenBy: string | undefined;
  readonly #socket: WebSocket;
  readonly #noise: NoiseServer;
  readonly #events: ConnectionEvents;
  readonly #arrived: NoiseEvent[] = [];
  #isBusy = false;
  readonly #sealed: Buffer[] = [];
  #isEnding = false;

  constructor(socket: WebSocket, certificates: Certificates, events: ConnectionEvents) {
    this.#socket = socket;
    this.#noise = new NoiseServer(certificates);
    this.#events = events;
    socket.on("message", (data) => this.#receive(data));
    socket.on("close", () => {
      this.#isEnding = true;
      events.onClosed();
    });
    socket.on("error", () => socket.terminate());
  }

  get isOpen(): boolean {
    return !this.#isEnding && this.#socket.readyState === this.#socket.OPEN;
  }

  /** Sends a stanza; on a connection that is ending or frozen it is dropped and the answer is false. */
  send(stanza: BinaryNode): boolean {
    if (!this.isOpen || this.frozenBy !== undefined) return false;
    const encoded = encodeStanza(stanza);
    this.#sealed.push(this.#noise.seal(encoded));
    if (this.#sealed.length === 1) setImmediate(() => this.#flush());
    this.#events.onSent(stanza, encoded);
    return true;
  }

  /** Closes after everything that was sent; what the client still says is ignored. */
  close(): void {
    if (this.#isEnding) return;
    this.#flush();
    this.#isEnding = true;
    this.#socket.close();
    setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  /** Cuts the TCP connection without a word. */
  drop(): void {
    this.#flush();
    this.#isEnding = true;
    this.#socket.terminate();
  }

  /** Writing is dear: what is sent in one turn of the event loop goes out in one piece. */
  #flush(): void {
    const frames = this.#sealed.splice(0);
    const [first] = frames;
    if (first && this.isOpen) this.#socket.send(frames.length === 1 ? first : Buffer.concat(frames));
  }

  #receive(data: RawData): void {
    if (this.#isEnding) return;
    try {
      this.#arrived.push(...this.#noise.feed(toBuffer(data)));
    } catch (reason) {
      this.#break(reason);
    }
    this.#workOff();
  }

  /** One after the other: what takes its time holds up what came after it. */
  #workOff(): void {
    while (!this.#isBusy) {
      const event = this.#arrived.shift();
      if (!event) return;
      if (this.#isEnding || this.frozenBy !== undefined) continue;
      try {
        const work = this.#take(event);
        if (work) void this.#waitFor(work);
      } catch (reason) {
        this.#break(reason);
      }
    }
  }

  #take(event: NoiseEvent): void | Promise<void> {
    if (event.kind === "reply") this.#socket.send(event.frame);
    else if (event.kind === "hello") this.#events.onHello(event.payload, event.clientKey);
    else return this.#events.onStanza(decodeStanza(event.plaintext), event.plaintext);
  }

  async #waitFor(work: Promise<void>): Promise<void> {
    this.#isBusy = true;
    try {
      await work;
    } catch (reason) {
      this.#break(reason);
    }
    this.#isBusy = false;
    this.#workOff();
  }

  #break(reason: unknown): void {
    this.drop();
    this.#events.onBroken(reason);
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
