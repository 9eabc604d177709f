import type { Fleet, FleetDevice } from "./fleet.ts";
import type { Answer, Phone } from "./gateway.ts";

/** An accepted send: its text is its own, and `readers` are all phones that must show it. */
export type Sent = { commandId: string; text: string; readers: Phone[]; deviceId: string };
/** A message that a phone sent, and the devices that must have an event of it. */
export type Written = { messageId: string; deviceIds: string[] };

export type TrafficOptions = {
  /** Messages a second, half of them in each direction. */
  perSecond: number;
  /** Whether the client asks again after a refusal (429, 503); it always does when it got no answer at all. */
  isPatient?: boolean;
  /** Called with each command that was accepted. */
  onAccepted?: (commandId: string, deviceId: string) => Promise<void>;
};

const IN_GROUP = 0.25;
const TYPED_ON_PHONE = 0.1;
/** More than so many clients never wait at once; the machine has to carry them as well. */
const MOST_AT_ONCE = 100;
const TRIES = 60;
const RETRY_MS = 1_000;

/** People and an API client who write to each other all the time, and remember what they wrote. */
export class Traffic {
  readonly sent: Sent[] = [];
  readonly written: Written[] = [];
  /** How often each refusal was the answer, by error code. */
  readonly refusals: Record<string, number> = {};
  readonly #fleet: Fleet;
  readonly #options: TrafficOptions;
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(fleet: Fleet, options: TrafficOptions) {
    this.#fleet = fleet;
    this.#options = options;
  }

  start(): void {
    const intervalMs = 1_000 / this.#options.perSecond;
    let due = performance.now();
    const tick = () => {
      for (; due <= performance.now(); due += intervalMs) {
        if (this.#running.size >= MOST_AT_ONCE) continue;
        const work = (this.#count++ % 2 ? this.#send() : this.#write()).finally(() => this.#running.delete(work));
        this.#running.add(work);
      }
      this.#timer = setTimeout(tick, Math.max(1, due - performance.now()));
    };
    tick();
  }

  /** Begins nothing more, and waits for the answers that are still to come. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#running);
  }

  async #send(): Promise<void> {
    const { gateway, devices, friends, groups } = this.#fleet;
    const text = `out ${this.#count}`;
    const group = Math.random() < IN_GROUP ? pick(groups) : undefined;
    const { deviceId, owner } = pick(group?.devices ?? devices);
    const friend = pick(friends);
    const readers = group ? membersBut(group, owner) : [friend];
    const headers = { prefer: "respond-async", "idempotency-key": text };
    const answer = await this.#ask(() => gateway.send(deviceId, group?.id ?? friend.number, text, headers));
    if (answer?.status === 202 || answer?.status === 200) {
      const commandId = answer.body.data.commandId as string;
      this.sent.push({ commandId, text, readers, deviceId });
      await this.#options.onAccepted?.(commandId, deviceId);
    }
  }

  /** Undefined when no answer came at all, in all the time that a client would wait. */
  async #ask(call: () => Promise<Answer>): Promise<Answer | undefined> {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const answer = await call().catch(() => undefined);
      if (answer && answer.status < 400) return answer;
      const code = answer?.body.error?.code ?? "no_answer";
      this.refusals[code] = (this.refusals[code] ?? 0) + 1;
      if (answer && (this.#options.isPatient === false || answer.status < 429)) return answer;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    return undefined;
  }

  /** A phone that could not reach its server may have been heard or not: such a message counts for nothing. */
  async #write(): Promise<void> {
    await this.#writeOne().catch(() => undefined);
  }

  async #writeOne(): Promise<void> {
    const { devices, friends, groups } = this.#fleet;
    const text = `in ${this.#count}`;
    const dice = Math.random();
    const group = dice < IN_GROUP ? pick(groups) : undefined;
    if (group) {
      const messageId = await pick(group.friends).text(group.id, text);
      this.written.push({ messageId, deviceIds: group.devices.map((device) => device.deviceId) });
      return;
    }
    const { deviceId, owner } = pick(devices);
    const friend = pick(friends);
    const isTyped = dice > 1 - TYPED_ON_PHONE;
    const messageId = isTyped ? await owner.text(friend.number, text) : await friend.text(owner.number, text);
    this.written.push({ messageId, deviceIds: [deviceId] });
  }
}

const membersBut = ({ devices, friends }: { devices: FleetDevice[]; friends: Phone[] }, owner: Phone) => [
  ...friends,
  ...devices.map((device) => device.owner).filter((phone) => phone !== owner),
];

function pick<T>(items: readonly T[]): T {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new Error("there is nothing to pick from");
  return item;
}
