import { DeviceLog } from "../log.ts";
import { logObjects } from "../log-objects.ts";
import { decodeRecords, encodeRecords } from "../records.ts";
import type { TextRecord } from "../records.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { shakyStorage } from "./shaky-storage.ts";
import type { Fault } from "./shaky-storage.ts";

const PREFIX = "devices/user/device/";
const KEY = Buffer.alloc(32, 7);
const OWNERS = 4;
const APPENDS = 5;

type Parked = { owner: number; go: () => void };

/**
 * One random schedule of the real log: four owners under rising epochs (sometimes one opens again under the epoch it
 * has) work on one bucket, each not knowing of the others. Every request waits until it is drawn; before and after it
 * owners may freeze for a long time; requests and replies get lost. What happens is decided by the seed alone.
 */
export class LogSimulation {
  /** Operations whose append was acknowledged, in the order of acknowledgement. */
  readonly acknowledged: string[] = [];
  readonly faults: string[] = [];
  snapshots = 0;
  fencings = 0;
  readonly #random: () => number;
  readonly #bucket = new MemoryStorage();
  readonly #parked: Parked[] = [];
  readonly #frozenUntil = Array.from({ length: OWNERS }, () => 0);
  #step = 0;
  #running = 0;
  #openings = 0;

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
  }

  async run(): Promise<void> {
    const epochs = this.#random() < 0.2 ? [1, 2, 2, 3] : [1, 2, 3, 4];
    const lives = epochs.map((epoch, owner) => this.#live(owner, epoch));
    while (this.#running) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#drawNext();
    }
    await Promise.all(lives);
    await this.#checkEnd();
  }

  /** The wait of the log between two attempts: over when it is drawn. */
  readonly pause = (): Promise<void> => this.#park(0);

  /** Lets one of those go on that wait; time runs on when all are frozen. */
  #drawNext(): void {
    if (!this.#parked.length) return;
    const thawsAt = ({ owner }: Parked) => this.#frozenUntil[owner] ?? 0;
    this.#step = Math.max(this.#step + 1, Math.min(...this.#parked.map(thawsAt)));
    const ready = this.#parked.filter((parked) => thawsAt(parked) <= this.#step);
    const drawn = ready[Math.floor(this.#random() * ready.length)];
    if (drawn) this.#parked.splice(this.#parked.indexOf(drawn), 1);
    drawn?.go();
  }

  async #live(owner: number, epoch: number): Promise<void> {
    this.#running += 1;
    try {
      // Owners come one after the other, though not always after the one before has begun.
      for (let wait = 0; wait < owner * 12 * this.#random(); wait++) await this.#park(owner);
      const opening = ++this.#openings;
      const expected = [...this.acknowledged];
      const storage = shakyStorage(this.#bucket, () => this.#fault(owner));
      const opened = await again(() => DeviceLog.open({ storage, prefix: PREFIX, key: KEY, epoch }));
      if (opened.outcome === "unreadable") this.faults.push(`unreadable: ${opened.why}`);
      if (opened.outcome === "fenced") this.#checkFenced(opening, epoch, "while opening");
      if (opened.outcome !== "open") return;
      const memory = new Map<string, string | null>();
      for (const body of opened.bodies) for (const [name, text] of decodeRecords(body)) memory.set(name, text);
      const lost = expected.filter((operation) => !memory.has(operation));
      if (lost.length) this.faults.push(`an owner of epoch ${epoch} does not see ${lost.join()}`);
      await this.#work({ log: opened.log, memory, epoch, opening, owner });
    } finally {
      this.#running -= 1;
    }
  }

  async #work({ log, memory, epoch, opening, owner }: Owner): Promise<void> {
    let snapshot: Promise<void> | undefined;
    let durable: Promise<unknown> = Promise.resolve();
    let isOver = false;
    const takeSnapshot = async () => {
      const draft = await again(() => log.draft(halves(memory)));
      await durable;
      if (isOver) return;
      if ((await again(() => log.adopt(draft))) === "ok") this.snapshots += 1;
      else this.#checkFenced(opening, epoch, "by a snapshot");
    };
    for (let count = 1; count <= APPENDS && !isOver; count++) {
      if (this.#random() < 0.04) break;
      const operation = `${opening}.${count}`;
      memory.set(operation, "1");
      memory.set("newest", JSON.stringify(operation));
      const append = log.append(
        encodeRecords(["newest", operation].map((name): TextRecord => [name, memory.get(name) ?? null])),
      );
      durable = append;
      if (!snapshot && this.#random() < 0.3) snapshot = takeSnapshot().finally(() => (snapshot = undefined));
      const { outcome } = await append;
      if (outcome === "ok") this.acknowledged.push(operation);
      else isOver = true;
      if (outcome === "fenced") this.#checkFenced(opening, epoch, "by an append");
      await this.#park(owner);
    }
    isOver = true;
    await snapshot;
  }

  /** Only another opening that began later, or a higher epoch, may take the log away. */
  #checkFenced(opening: number, epoch: number, how: string): void {
    this.fencings += 1;
    if (this.#openings === 1) this.faults.push(`the only owner (${opening}, epoch ${epoch}) was fenced ${how}`);
  }

  #park(owner: number): Promise<void> {
    if (this.#random() < 0.06) this.#frozenUntil[owner] = this.#step + Math.floor(this.#random() * 150);
    return new Promise((go) => this.#parked.push({ owner, go }));
  }

  async #fault(owner: number): Promise<Fault | undefined> {
    await this.#park(owner);
    const dice = this.#random();
    if (dice < 0.05) return "lost request";
    if (dice < 0.1) return "lost reply";
    return dice < 0.12 ? "no reply" : undefined;
  }

  async #checkEnd(): Promise<void> {
    const storage = this.#bucket;
    const objects = logObjects({ storage, prefix: PREFIX, key: KEY });
    const epochs: number[] = [];
    let newest: string | null | undefined;
    for (const seq of await objects.listEntries(0)) {
      const entry = await objects.readEntry(seq);
      epochs.push(entry?.epoch ?? 0);
      for (const [name, text] of entry ? decodeRecords(entry.body) : []) if (name === "newest") newest = text;
    }
    if (epochs.some((epoch, index) => epoch < (epochs[index - 1] ?? 0)))
      this.faults.push(`epochs go back: ${epochs.join()}`);
    const opened = await DeviceLog.open({ storage, prefix: PREFIX, key: KEY, epoch: OWNERS + 1 });
    if (opened.outcome !== "open") return void this.faults.push(`at the end the log is ${opened.outcome}`);
    const memory = new Map(opened.bodies.flatMap((body) => [...decodeRecords(body)]));
    const lost = this.acknowledged.filter((operation) => !memory.has(operation));
    if (lost.length) this.faults.push(`lost: ${lost.join()}`);
    if (memory.get("newest") !== newest) this.faults.push(`a snapshot hides ${newest} behind ${memory.get("newest")}`);
  }
}

type Owner = { log: DeviceLog; memory: Map<string, string | null>; epoch: number; opening: number; owner: number };

/** A snapshot in two parts, each as memory is when it is asked for: the second may show what the first does not. */
function* halves(memory: Map<string, string | null>): Generator<Buffer> {
  const names = [...memory.keys()];
  const middle = Math.floor(names.length / 2);
  yield encodeRecords(names.slice(0, middle).map((name): TextRecord => [name, memory.get(name) ?? null]));
  yield encodeRecords([...memory].filter(([name]) => names.indexOf(name) >= middle || !names.includes(name)));
}

/** The owner's own patience: a store that does not answer is asked again. */
async function again<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch {
      continue;
    }
  }
}

/** Mulberry32 (public domain, T. Ettinger): small, fast, the same everywhere. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
