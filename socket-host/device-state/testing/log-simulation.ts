import type { Storage } from "../../../shared/storage.ts";
import { DeviceLog } from "../log.ts";
import { logObjects } from "../log-objects.ts";
import { decodeRecords, encodeRecords } from "../records.ts";
import type { TextRecord } from "../records.ts";
import { Repeats } from "../repeats.ts";
import { wipe } from "../wipe.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { randomNumbers } from "./random-numbers.ts";
import { SimulatedProcess } from "./simulated-process.ts";
import { unreliableNetwork } from "./unreliable-network.ts";
import { VirtualTime } from "./virtual-time.ts";

const PREFIX = "devices/user/device/";
export const SIMULATION_KEY = Buffer.alloc(32, 7);
const OWNERS = 4;
const APPENDS = 5;
/** Longer than any request of a process that is gone can be on its way. */
const AFTERMATH_MS = 300_000;

/** Who has used the log, from its first request to its last. A wipe is such a use too. */
type Use = { epoch: number; begun: number; ended: number; isWipe?: boolean; isWiped?: boolean };
type Operation = { name: string; begun: number; acknowledged: number };

/**
 * One random schedule of the real log: four owners under rising epochs work on one bucket, each not knowing of the
 * others. They freeze for up to a minute, die, open again under the epoch they have, make snapshots, wipe; their
 * requests go through `unreliableNetwork`. What happens is decided by the seed alone.
 *
 * Checked: no acknowledged append is missing for whoever opens the log later, no epoch goes back along the log, nobody
 * is fenced unless another owner is the cause, a snapshot hides no later write, and what was wiped stays away.
 */
export class LogSimulation {
  readonly faults: string[] = [];
  readonly counts = { acknowledged: 0, snapshots: 0, fencings: 0, wipes: 0 };
  readonly random: () => number;
  readonly time = new VirtualTime();
  readonly #bucket = new MemoryStorage();
  readonly #view: (bucket: Storage) => Storage;
  readonly #uses: Use[] = [];
  readonly #operations: Operation[] = [];

  /** @param view breaks the protocol on purpose: what the log does not see as it is */
  constructor(seed: number, view: (bucket: Storage) => Storage = (bucket) => bucket) {
    this.random = randomNumbers(seed);
    this.#view = view;
  }

  async run(): Promise<void> {
    await this.time.run(this.#runAll());
  }

  async #runAll(): Promise<void> {
    const owners = Array.from({ length: OWNERS }, (_, index) => this.#live(index + 1));
    await Promise.all(owners);
    await this.time.sleep(AFTERMATH_MS);
    await this.#checkEnd();
  }

  /** A process that owns the device under one epoch. */
  async #live(epoch: number): Promise<void> {
    // Owners come one after the other, though not always after the one before has begun.
    await this.time.sleep(epoch * 8_000 * this.random());
    const self = new SimulatedProcess(this.time, this.random);
    await Promise.race([this.#own(self, epoch), self.death]);
    for (const use of this.#uses) if (use.epoch === epoch) use.ended = Math.min(use.ended, this.time.now);
  }

  async #own(self: SimulatedProcess, epoch: number): Promise<void> {
    const storage = unreliableNetwork(this.#view(this.#bucket), this.time, this.random, self);
    const owner = { storage, prefix: PREFIX, key: SIMULATION_KEY, epoch };
    for (let opening = 0; opening < 2; opening++) {
      const use = this.#use(epoch);
      const opened = await again(() => DeviceLog.open(owner));
      if (opened.outcome === "unreadable") return void this.faults.push(`unreadable: ${opened.why}`);
      if (opened.outcome === "fenced") return this.#checkFenced(use, "while opening");
      const memory = new Map(opened.bodies.flatMap((body) => [...decodeRecords(body)]));
      this.#checkSeen(use, memory);
      const isFenced = await this.#work(self, opened.log, memory, use);
      use.ended = this.time.now;
      if (isFenced || self.random() < 0.6) return;
      if (self.random() < 0.3) await this.#wipe(owner);
    }
  }

  /** @returns whether another owner has taken the log */
  async #work(self: SimulatedProcess, log: DeviceLog, memory: Map<string, string | null>, use: Use): Promise<boolean> {
    let snapshot: Promise<void> | undefined;
    let durable: Promise<unknown> = Promise.resolve();
    let end: "fenced" | "unavailable" | undefined;
    let repeating = new Repeats();
    const encode = (names: Iterable<string>) =>
      encodeRecords(Array.from(names, (name): TextRecord => [name, memory.get(name) ?? null]));
    const takeSnapshot = async () => {
      const draft = await log.draft(halves(memory));
      await durable;
      if (end) return;
      const adopted = await log.adopt(draft);
      if (adopted === "ok") this.counts.snapshots += 1;
      if (adopted === "fenced") this.#checkFenced(use, "by a snapshot");
      if (adopted === "fenced") end = "fenced";
    };
    for (let count = 1; count <= APPENDS && !end; count++) {
      const name = `${this.#uses.indexOf(use)}.${count}`;
      const begun = this.time.now;
      memory.set(name, "1");
      memory.set("newest", JSON.stringify(name));
      if (self.random() < 0.2) repeating = new Repeats();
      const { body, repeats } = repeating.next(["newest", name], encode);
      const append = log.append(body, repeats);
      durable = append;
      if (!snapshot && self.random() < 0.35) {
        // One that fails is made again later, or never.
        snapshot = takeSnapshot().catch(() => undefined);
        void snapshot.then(() => (snapshot = undefined));
      }
      const { outcome } = await append;
      if (outcome === "ok") this.#operations.push({ name, begun, acknowledged: this.time.now });
      if (outcome === "fenced" || outcome === "unavailable") end = outcome;
      if (outcome === "fenced") this.#checkFenced(use, "by an append");
      await self.idle();
    }
    await snapshot;
    if (!end && log.isAheadOfSnapshot && self.random() < 0.5) await takeSnapshot().catch(() => undefined);
    return end === "fenced";
  }

  async #wipe(owner: Parameters<typeof wipe>[0]): Promise<void> {
    const use = this.#use(owner.epoch);
    use.isWipe = true;
    if ((await again(() => wipe(owner))) === "fenced") this.#checkFenced(use, "while wiping");
    else use.isWiped = true;
    use.ended = this.time.now;
    this.counts.wipes += use.isWiped ? 1 : 0;
  }

  #use(epoch: number): Use {
    const use = { epoch, begun: this.time.now, ended: Number.POSITIVE_INFINITY };
    this.#uses.push(use);
    return use;
  }

  /** Whoever opens the log sees all that was acknowledged before it began, but for what somebody may have wiped. */
  #checkSeen({ begun, epoch }: Use, memory: ReadonlyMap<string, unknown>): void {
    const wipes = this.#uses.filter((use) => use.isWipe);
    for (const operation of this.#operations) {
      if (operation.acknowledged >= begun) continue;
      const isSeen = memory.has(operation.name);
      const mayBeGone = wipes.some((use) => operation.begun <= (use.isWiped ? use.ended : use.ended + AFTERMATH_MS));
      const mustBeGone = wipes.some((use) => use.isWiped && use.ended < begun && operation.acknowledged < use.begun);
      if (!isSeen && !mayBeGone) this.faults.push(`epoch ${epoch} does not see ${operation.name}`);
      if (isSeen && mustBeGone) this.faults.push(`epoch ${epoch} sees ${operation.name}, which was wiped`);
    }
  }

  /** Only a newer epoch, or another use of the same one that was not over when this began, takes the log away. */
  #checkFenced(fenced: Use, how: string): void {
    this.counts.fencings += 1;
    fenced.ended = this.time.now;
    const isCause = (use: Use) =>
      use !== fenced && (use.epoch > fenced.epoch || (use.epoch === fenced.epoch && use.ended >= fenced.begun));
    if (!this.#uses.some(isCause)) this.faults.push(`epoch ${fenced.epoch} was fenced ${how} without a cause`);
  }

  async #checkEnd(): Promise<void> {
    this.counts.acknowledged = this.#operations.length;
    const storage = this.#bucket;
    const objects = logObjects({ storage, prefix: PREFIX, key: SIMULATION_KEY });
    let epoch = 0;
    let newest: string | null | undefined;
    // Behind a wipe lie numbers that are read no more; one that it freed may have been taken by somebody who then stopped.
    const isWiped = this.#uses.some((use) => use.isWipe);
    const current = isWiped ? await objects.readHead() : undefined;
    for (const { seq } of await objects.listEntries(current?.head.snapSeq ?? 0)) {
      const entry = await objects.readEntry(seq);
      if (!entry) continue;
      if (entry.epoch < epoch) this.faults.push(`the epoch goes back from ${epoch} to ${entry.epoch} at ${seq}`);
      epoch = entry.epoch;
      for (const [name, text] of decodeRecords(entry.body)) if (name === "newest") newest = text;
    }
    const use = this.#use(OWNERS + 1);
    const opened = await DeviceLog.open({ storage, prefix: PREFIX, key: SIMULATION_KEY, epoch: OWNERS + 1 });
    if (opened.outcome !== "open") return void this.faults.push(`at the end the log is ${opened.outcome}`);
    const memory = new Map(opened.bodies.flatMap((body) => [...decodeRecords(body)]));
    this.#checkSeen(use, memory);
    const shown = memory.get("newest");
    if (newest !== undefined && shown !== newest && !isWiped)
      this.faults.push(`a snapshot hides ${newest} behind ${shown}`);
  }
}

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
