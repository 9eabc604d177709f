import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it came. `at`: when, in milliseconds since 1970. */
export type ReceivedRequest = { headers: Record<string, string>; body: string; at: number };

/** What the receiver does with a request. */
export type Behaviour = (request: ReceivedRequest, response: ServerResponse) => void;
export const accept: Behaviour = (_request, response) => void response.writeHead(204).end();

/** A program of somebody who has events sent to them. Close it when done. */
export class Receiver {
  /** All, in the order of arrival. */
  readonly requests: ReceivedRequest[] = [];
  behave: Behaviour;
  readonly #server;

  private constructor(behave: Behaviour) {
    this.behave = behave;
    this.#server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on("error", () => undefined);
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        const request = { headers: plain(incoming.headers), body, at: Date.now() };
        this.requests.push(request);
        this.behave(request, response);
      });
    });
  }

  static async start(behave: Behaviour = accept): Promise<Receiver> {
    const receiver = new Receiver(behave);
    await new Promise<void>((resolve) => {
      receiver.#server.listen(0, "127.0.0.1", resolve);
    });
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const plain = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/**
 * A receiver that fails one request of three, and others slowly or by breaking off; `down`: every one. What it has taken
 * is in `taken`, by the id of the event.
 */
export function troubled(random: () => number = Math.random) {
  const state = { isDown: false, taken: new Map<string, string>(), behave };
  function behave({ headers, body }: ReceivedRequest, response: ServerResponse): void {
    const luck = random();
    if (state.isDown || luck < 0.1) return void response.destroy();
    if (luck < 0.3) return void response.writeHead(luck < 0.2 ? 500 : 503).end("no");
    setTimeout(
      () => {
        response.writeHead(200).end();
        state.taken.set(headers["webhook-id"] ?? "", body);
      },
      luck < 0.4 ? 400 : 0,
    );
  }
  return state;
}
