import http from "node:http";
import https from "node:https";
import { Duplex } from "node:stream";
import type { Socket } from "node:net";

/** What the gate asks of a device state. */
type Durability = {
  readonly seq: number;
  readonly durableSeq: number;
  readonly failed: Error | undefined;
  readonly backlogBytes: number;
  readonly onDurable: Set<() => void>;
};

/** What is held back at most. A connection that says more than this while the store is silent has to end. */
const MAX_HELD_BYTES = 8 << 20;
/** Above this much that is not durable nothing more is read from the server; well below the largest entry of the log. */
const MAX_BACKLOG_BYTES = 2 << 20;

/**
 * The output gate: a socket that holds back every byte until all state written before it is durable. Baileys and
 * libsignal never wait for the store, yet nothing they say can be heard before what it rests on is safe: ciphertexts,
 * delivery and retry receipts, acknowledgements, key uploads, pairing replies. When the state fails, the socket is
 * destroyed and what it held never leaves.
 */
class GatedSocket extends Duplex {
  readonly #inner: Socket;
  readonly #state: Durability;
  #held: { chunk: Buffer; seq: number }[] = [];
  #heldBytes = 0;
  #finish: (() => void) | undefined;
  #wantsInput = true;
  readonly #wake = () => this.#pump();

  constructor(inner: Socket, state: Durability) {
    super({ allowHalfOpen: false });
    this.#inner = inner;
    this.#state = state;
    state.onDurable.add(this.#wake);
    inner.on("data", (chunk: Buffer) => {
      this.#wantsInput = this.push(chunk);
      this.#steerInput();
    });
    inner.on("end", () => this.push(null));
    inner.on("error", (error) => this.destroy(error));
    inner.on("close", () => this.destroy());
    for (const event of ["lookup", "connect", "ready", "secureConnect", "timeout"]) {
      inner.on(event, (...values: unknown[]) => this.emit(event, ...values));
    }
  }

  override _read(): void {
    this.#wantsInput = true;
    this.#steerInput();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { seq, durableSeq, failed } = this.#state;
    if (failed) return done(failed);
    if (!this.#held.length && seq <= durableSeq) {
      this.#inner.write(chunk, done);
      return;
    }
    this.#held.push({ chunk, seq });
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > MAX_HELD_BYTES) return done(new Error("the store is too slow for this connection"));
    // "Written" means taken, as with any socket's buffer: the next message may be encrypted meanwhile.
    done();
  }

  override _final(done: () => void): void {
    if (this.#held.length) this.#finish = done;
    else this.#inner.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#state.onDurable.delete(this.#wake);
    this.#held = [];
    this.#inner.destroy();
    done(error);
  }

  #pump(): void {
    if (this.#state.failed) {
      this.destroy(this.#state.failed);
      return;
    }
    const { durableSeq } = this.#state;
    const first = this.#held.findIndex(({ seq }) => seq > durableSeq);
    const free = this.#held.splice(0, first < 0 ? this.#held.length : first);
    for (const { chunk } of free) {
      this.#heldBytes -= chunk.length;
      this.#inner.write(chunk);
    }
    if (this.#finish && !this.#held.length) this.#inner.end(this.#finish);
    this.#steerInput();
  }

  /** What is not read stays with the server: a silent store must not fill memory with what came in meanwhile. */
  #steerInput(): void {
    if (this.#wantsInput && this.#state.backlogBytes <= MAX_BACKLOG_BYTES) this.#inner.resume();
    else this.#inner.pause();
  }

  // The part of net.Socket that the HTTP client and ws use of a connection.
  setTimeout(timeoutMs: number, onTimeout?: () => void): this {
    if (onTimeout) this.once("timeout", onTimeout);
    this.#inner.setTimeout(timeoutMs);
    return this;
  }
  setNoDelay(isOn?: boolean): this {
    this.#inner.setNoDelay(isOn);
    return this;
  }
  setKeepAlive(isOn?: boolean, delayMs?: number): this {
    this.#inner.setKeepAlive(isOn, delayMs);
    return this;
  }
  ref(): this {
    this.#inner.ref();
    return this;
  }
  unref(): this {
    this.#inner.unref();
    return this;
  }
}

/**
 * The `agent` option for a Baileys socket on this state. `destroySockets` ends its connection at once, without waiting
 * for the peer. Works for `ws:` and `wss:`.
 */
export function gatedAgent(url: string, state: Durability) {
  const sockets = new Set<GatedSocket>();
  const agent = new URL(url).protocol === "wss:" ? new https.Agent() : new http.Agent();
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options: http.ClientRequestArgs) => {
    const socket = new GatedSocket(connect(options) as Socket, state);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
  return Object.assign(agent as https.Agent, {
    destroySockets: () => {
      for (const socket of sockets) socket.destroy();
    },
  });
}
