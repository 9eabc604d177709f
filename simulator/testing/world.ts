import type { InboxMessage } from "../phone/inbox.ts";
import { startSimulator, type Simulator, type SimulatorOptions } from "../server.ts";
import { BaileysClient } from "./baileys-client.ts";
import { control, type Answer, type StatsAnswer } from "./control.ts";
import { until } from "./until.ts";

export const ALICE = "15550000001";
export const BOB = "15550000002";

/** A simulator with Alice and Bob and whoever else is needed, and the clients that a test links to their phones. */
export class World {
  simulator: Simulator;
  readonly #clients: BaileysClient[] = [];
  #people = 0;

  private constructor(simulator: Simulator) {
    this.simulator = simulator;
  }

  static async start(options: SimulatorOptions = {}): Promise<World> {
    const world = new World(await startSimulator(options));
    for (const phone of [ALICE, BOB]) await world.post("/phones", { phone });
    return world;
  }

  /** Somebody whom nobody has met yet; answers the number. */
  async person(): Promise<string> {
    const phone = String(15_551_000_000 + ++this.#people);
    await this.post("/phones", { phone });
    return phone;
  }

  /** A client that has not connected yet, with new credentials or those of an earlier one. */
  client(earlier?: BaileysClient): BaileysClient {
    const client = new BaileysClient(this.simulator, earlier?.storedAuth());
    this.#clients.push(client);
    return client;
  }

  /** A client that comes back after its connection ended: the same device, a new socket. */
  async back(earlier: BaileysClient): Promise<BaileysClient> {
    await earlier.end();
    const client = this.client(earlier);
    await client.connect();
    return client;
  }

  async linked(phone: string): Promise<BaileysClient> {
    const client = this.client();
    await client.link(phone);
    return client;
  }

  get(path: string) {
    return control(this.simulator, "GET", path);
  }

  post(path: string, body: unknown = {}) {
    return control(this.simulator, "POST", path, body);
  }

  put(path: string, body: unknown) {
    return control(this.simulator, "PUT", path, body);
  }

  delete(path: string) {
    return control(this.simulator, "DELETE", path);
  }

  async stats(): Promise<StatsAnswer> {
    return (await this.get("/stats")).body as unknown as StatsAnswer;
  }

  async phone(phone: string): Promise<Answer> {
    return (await this.get(`/phones/${phone}`)).body;
  }

  /** Writes a text on a phone; answers the message id. */
  async write(from: string, to: string, text: string): Promise<string> {
    const { status, body } = await this.post(`/phones/${from}/messages`, { to, text });
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body.id;
  }

  /** A group that somebody makes on a phone; answers its id. */
  async group(creator: string, subject: string, participants: string[], addressing?: "lid" | "pn"): Promise<string> {
    const { status, body } = await this.post(`/phones/${creator}/groups`, { subject, participants, addressing });
    if (status !== 201) throw new Error(JSON.stringify(body));
    return body.id;
  }

  /** What arrived at a phone, waiting until there are `count` messages. */
  async inbox(phone: string, count = 0): Promise<InboxMessage[]> {
    for (;;) {
      const messages = await this.inboxAfter(phone, 0);
      if (messages.length >= count) return messages;
      const more = await this.inboxAfter(phone, messages.at(-1)?.n ?? 0, 10);
      if (more.length === 0) throw new Error(`only ${messages.length} of ${count} messages arrived`);
    }
  }

  async inboxAfter(phone: string, after: number, waitSeconds = 0): Promise<InboxMessage[]> {
    const { body } = await this.get(`/phones/${phone}/inbox?after=${after}&wait=${waitSeconds}`);
    return body as unknown as InboxMessage[];
  }

  /** Waits until a device has dealt with all it was sent. */
  async settled(phone: string, device = 1): Promise<void> {
    await until(async () => {
      const { devices } = await this.stats();
      return devices.some((each) => each.phone === phone && each.device === device && each.queued === 0);
    }, `an empty queue of ${phone}:${device}`);
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) await client.end();
    await this.simulator.dispose();
  }
}
