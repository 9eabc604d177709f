import type { BaileysEventMap } from "@whiskeysockets/baileys";
import type { BaileysClient } from "./baileys-client.ts";
import { until } from "./until.ts";

type Name = keyof BaileysEventMap;
type Logged = { [N in Name]: { name: N; data: BaileysEventMap[N] } }[Name];

/** Everything that Baileys emits on a client's connections, in order. To be made before the client connects. */
export class EventLog {
  readonly #events: Logged[] = [];

  constructor(client: BaileysClient) {
    client.onConnect = (socket) => {
      socket.ev.process((events) => {
        for (const [name, data] of Object.entries(events)) this.#events.push({ name, data } as Logged);
      });
    };
  }

  all<N extends Name>(name: N): BaileysEventMap[N][] {
    return this.#events.flatMap((event) => (event.name === name ? [event.data as BaileysEventMap[N]] : []));
  }

  /** The first event of a kind that is as wanted, waiting for it. */
  async find<N extends Name>(name: N, isWanted: (data: BaileysEventMap[N]) => boolean): Promise<BaileysEventMap[N]> {
    const find = () => this.all(name).find((data) => isWanted(data));
    await until(() => find() !== undefined, `${name}: ${isWanted.toString()}`);
    return find() as BaileysEventMap[N];
  }

  clear(): void {
    this.#events.length = 0;
  }
}
