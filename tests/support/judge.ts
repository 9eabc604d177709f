import type { Fleet } from "./fleet.ts";
import type { Traffic } from "./traffic.ts";

/** Every list is empty when all is well; the counts below are what it took. */
export type Verdict = {
  /** Accepted sends that a reader's phone does not show: `text → phone`. */
  lostOut: string[];
  /** Sends that a phone shows as two messages: they came under two ids. */
  doubleOut: string[];
  /** Accepted sends whose command did not end well: `text: state code`. */
  notSent: string[];
  /** Messages of phones without an event of a device that should have one. */
  lostIn: string[];
  /** Messages with two events of one device. */
  doubledEvents: string[];
  /** Devices whose events do not count 1, 2, 3, … */
  gaps: string[];
  /** Devices that are not connected in the end, with their status. */
  notConnected: string[];
  counts: {
    sent: number;
    written: number;
    refusals: Record<string, number>;
    /** Sends that arrived more than once under one id, which an application shows once. */
    repeatedIds: number;
    /** Stanzas that a phone could not read at first; a repeated one followed. */
    undecryptable: number;
    retryReceipts: { fromPhones: number; fromDevices: number };
    /** For how long a device had two connections, at the most. */
    longestOverlapMs: number;
  };
};

/** A verdict's lists when all is well. */
export const CLEAN: Omit<Verdict, "counts"> = {
  lostOut: [],
  doubleOut: [],
  notSent: [],
  lostIn: [],
  doubledEvents: [],
  gaps: [],
  notConnected: [],
};

const ENDED_WELL = ["accepted", "delivered", "read"];
const LOOK_EVERY_MS = 1_000;
const AT_ONCE = 8;

/**
 * Watches the phones while traffic runs, since an inbox keeps its last 500 messages only, and judges in the end.
 */
export class Judge {
  readonly #fleet: Fleet;
  /** By phone and text: under which ids it came. */
  readonly #shown = new Map<string, Set<string>>();
  readonly #read = new Map<string, number>();
  readonly #ended = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  watch(): void {
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().catch(() => undefined);
      void this.#looking.then(() => this.#timer && this.watch());
    }, LOOK_EVERY_MS);
  }

  /** Waits until all is as it should be, or nothing has become better for `patienceMs`, then tells how it is. */
  async verdict(traffic: Traffic, patienceMs: number): Promise<Verdict> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#looking;
    let fewest = Number.POSITIVE_INFINITY;
    for (let betterAt = performance.now(); ;) {
      const verdict = await this.#judge(traffic);
      const faults = Object.values(verdict).flatMap((list) => (Array.isArray(list) ? list : [])).length;
      if (faults < fewest) betterAt = performance.now();
      fewest = Math.min(fewest, faults);
      if (faults === 0 || performance.now() - betterAt > patienceMs) return verdict;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async #look(): Promise<void> {
    const { devices, friends } = this.#fleet;
    await each([...friends, ...devices.map((device) => device.owner)], async (phone) => {
      for (const message of await phone.inbox(this.#read.get(phone.number) ?? 0)) {
        this.#read.set(phone.number, message.n);
        const key = `${message.text} → ${phone.number}`;
        this.#shown.set(key, (this.#shown.get(key) ?? new Set()).add(message.id));
      }
    });
  }

  async #judge(traffic: Traffic): Promise<Verdict> {
    const { gateway, devices, stack } = this.#fleet;
    await this.#look();
    const { sent, written, refusals } = traffic;
    await each(sent, async ({ commandId, text }) => {
      if (ENDED_WELL.includes(this.#ended.get(text) ?? "")) return;
      const { data } = (await gateway.call("GET", `/commands/${commandId}`)).body;
      this.#ended.set(text, data.error ? `${data.status} ${data.error.code}: ${data.error.message}` : data.status);
    });
    const events = new Map<string, Map<string, number>>();
    const gaps: string[] = [];
    const notConnected: string[] = [];
    await each(devices, async ({ deviceId }) => {
      const { received, isWhole } = await this.#received(deviceId);
      events.set(deviceId, received);
      if (!isWhole) gaps.push(deviceId);
      const { data } = (await gateway.status(deviceId)).body;
      if (!data.isConnected) notConnected.push(`${deviceId}: ${data.status}${data.qrCode ? " shows a QR" : ""}`);
    });
    const stats = await (await fetch(`${stack.simulatorUrl}/stats`)).json();
    const { devices: linked, messages, undecryptable, retryReceipts } = stats as SimulatorStats;
    return {
      lostOut: sent.flatMap(({ text, readers }) =>
        readers.map((phone) => `${text} → ${phone.number}`).filter((key) => !this.#shown.has(key)),
      ),
      doubleOut: [...this.#shown].flatMap(([key, ids]) => (key.startsWith("out ") && ids.size > 1 ? key : [])),
      notSent: sent.flatMap(({ text }) => {
        const state = this.#ended.get(text) ?? "";
        return ENDED_WELL.includes(state) ? [] : `${text}: ${state}`;
      }),
      lostIn: written.flatMap(({ messageId, deviceIds }) =>
        deviceIds.filter((deviceId) => !events.get(deviceId)?.has(messageId)).map((id) => `${messageId} → ${id}`),
      ),
      doubledEvents: [...events].flatMap(([deviceId, ids]) =>
        [...ids].flatMap(([id, times]) => (times > 1 ? `${id} → ${deviceId}` : [])),
      ),
      gaps,
      notConnected,
      counts: {
        sent: sent.length,
        written: written.length,
        refusals,
        repeatedIds: messages.repeatedIds.length,
        undecryptable,
        retryReceipts,
        longestOverlapMs: Math.max(...linked.map((device) => device.longestOverlapMs)),
      },
    };
  }

  async #received(deviceId: string): Promise<{ received: Map<string, number>; isWhole: boolean }> {
    const received = new Map<string, number>();
    let last = 0;
    let isWhole = true;
    for (;;) {
      const page = await this.#fleet.gateway.events(deviceId, last);
      for (const { sequence, type, data } of page) {
        isWhole &&= sequence === ++last;
        const id = String(data["messageId"]);
        if (type === "message.received") received.set(id, (received.get(id) ?? 0) + 1);
      }
      if (!page.length) return { received, isWhole };
    }
  }
}

type SimulatorStats = {
  devices: { longestOverlapMs: number }[];
  messages: { repeatedIds: unknown[] };
  undecryptable: number;
  retryReceipts: { fromPhones: number; fromDevices: number };
};

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
