import * as leases from "../shared/db/leases.ts";
import type { Lease } from "../shared/db/leases.ts";
import type { Database } from "../shared/db/pool.ts";
import type { HostId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import { metrics } from "./metrics.ts";

type Options = {
  /** With connections of its own: a renewal must never wait behind the traffic of the devices. */
  database: Database;
  hostId: HostId;
  shards: number;
  /** How long a lease lasts after each renewal. */
  durationMs: number;
  log: Log;
  onTaken: (lease: Lease) => void;
  /** Everything of the shard must stop; `isUrgent` when it may be another host's in a moment, else it is handed over. */
  onLost: (lease: Lease, isUrgent: boolean) => Promise<void>;
  /** How long the devices of a shard will take to log in elsewhere: a host that stops gives the next one away after that. */
  loginMs: (shard: number) => number;
  /** False while somebody is about to scan a QR of the shard: giving it away would end that. */
  mayMove: (shard: number) => boolean;
  /** Told at each renewal: when the first lease may be another host's, in ms from now; undefined when none is held. */
  onExpiry: (ms: number | undefined) => void;
  /** After each round, with what is held. */
  onRound: (held: Lease[]) => Promise<void>;
};

/** At most so many shards are given away in one round, so that a joining host does not cause a storm of logins. */
const MAX_MOVES = 2;
/** Between two renewals free shards are looked for so often, so that what a host gives away does not lie about. */
const LOOKS_PER_ROUND = 5;
/** After so long a host that stops gives back all that is left at once; 120 s is all that Fargate gives it. */
const LONGEST_HAND_OVER_MS = 15_000;

/**
 * Holds this host's share of the shards. Each round, three in the life of a lease, it
 *  1. renews what it holds; what could not be renewed is lost,
 *  2. says that the host lives and learns how many do,
 *  3. gives away what is above its share, takes free shards up to its share; the latter some times between rounds, too.
 *
 * Expiry is judged by the database's clock alone. Here a lease is believed only until a deadline on the monotonic
 * clock, two thirds of its duration after the last renewal was *asked for*: with the database out of reach everything
 * is closed before the shard can be another host's.
 */
export class LeaseKeeper {
  readonly #options: Options;
  readonly #held = new Map<number, { lease: Lease; deadline: number }>();
  #timer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #balancing: Promise<void> | undefined;
  #isStopping = false;
  #isStopped = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Resolves after the first round. A host that was killed under the same id gives its shards up here. */
  async start(): Promise<void> {
    const { database, hostId, shards } = this.#options;
    await leases.ensureShards(database, shards);
    await leases.releaseAll(database, hostId);
    await this.#nextRound();
    await this.#balancing;
    const look = () => this.#balanceOnce(() => this.#takeFree());
    this.#lookTimer = setInterval(look, this.#options.durationMs / 3 / LOOKS_PER_ROUND);
  }

  /** The lease of a shard while it may be acted upon. */
  valid(shard: number): Lease | undefined {
    const entry = this.#held.get(shard);
    return entry && performance.now() < entry.deadline ? entry.lease : undefined;
  }

  /**
   * The lease of a held shard under an epoch above the given one: something of the shard was written under that one
   * before it belonged here. Undefined when the shard is not held.
   */
  async raise(shard: number, above: number): Promise<Lease | undefined> {
    let raised: Lease | undefined;
    // Between two rounds, never within one: a renewal asks for the epoch that it knows.
    const work = this.#round.then(async () => {
      const entry = this.#held.get(shard);
      const lease = this.valid(shard);
      if (!entry || !lease || lease.epoch > above) return void (raised = lease);
      raised = await leases.raise(this.#options.database, this.#options.hostId, lease, above + 1);
      if (raised) entry.lease = raised;
    });
    this.#round = work.catch(() => undefined);
    await work;
    return raised;
  }

  /**
   * Gives every shard back after `onLost` has closed what belongs to it; until then its lease is renewed. With others
   * there, one after the other, so that no device waits long in their line of logins.
   */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const { database, hostId } = this.#options;
    clearInterval(this.#lookTimer);
    await this.#balancing;
    await this.#round;
    // From here on the others count without this host, and take what it gives back.
    await leases.leave(database, hostId).catch(() => undefined);
    const others = await leases.countHosts(database).catch(() => 0);
    if (others) await this.#handOver();
    await Promise.all([...this.#held.values()].map(({ lease }) => this.#giveBack(lease)));
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#round;
    clearTimeout(this.#deadlineTimer);
  }

  async #handOver(): Promise<void> {
    const deadline = performance.now() + LONGEST_HAND_OVER_MS;
    for (const [shard, { lease }] of this.#held) {
      const loginMs = this.#options.loginMs(shard);
      await this.#giveBack(lease);
      if (performance.now() + loginMs > deadline) return;
      if (this.#held.size) await pause(loginMs);
    }
  }

  async #nextRound(): Promise<void> {
    this.#round = this.#round
      .then(() => this.#runRound())
      .catch((err: unknown) => this.#options.log.error({ err }, "lease round failed"));
    await this.#round;
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.#nextRound(), this.#options.durationMs / 3);
  }

  async #runRound(): Promise<void> {
    const { database, hostId, durationMs } = this.#options;
    await this.#renew();
    if (this.#isStopping) return;
    const hosts = await leases.beat(database, hostId, durationMs);
    // Not waited for: what it does takes its time, and the next renewal must not be late for it.
    this.#balanceOnce(async () => {
      await this.#giveSurplus(hosts);
      await this.#takeFree();
      await this.#options.onRound([...this.#held.values()].map((entry) => entry.lease));
    });
  }

  #balanceOnce(work: () => Promise<void>): void {
    if (this.#isStopping) return;
    this.#balancing ??= work()
      .catch((err: unknown) => this.#options.log.error({ err }, "shards not balanced"))
      .finally(() => {
        this.#balancing = undefined;
      });
  }

  async #giveSurplus(hosts: number): Promise<void> {
    const { shards, mayMove } = this.#options;
    const movable = [...this.#held.values()].filter(({ lease }) => mayMove(lease.shard));
    const surplus = Math.min(MAX_MOVES, this.#held.size - Math.ceil(shards / hosts));
    await Promise.all(movable.slice(0, Math.max(0, surplus)).map(({ lease }) => this.#giveBack(lease)));
  }

  async #takeFree(): Promise<void> {
    const { database, shards } = this.#options;
    const hosts = await leases.countHosts(database);
    const share = Math.ceil(shards / Math.max(1, hosts));
    if (this.#held.size >= share) return;
    for (const shard of await leases.listFree(database)) {
      if (this.#held.size >= share || this.#isStopping) return;
      await this.#take(shard);
    }
  }

  async #renew(): Promise<void> {
    const { database, hostId, durationMs, log } = this.#options;
    const asked = performance.now();
    const before = [...this.#held.values()].map((entry) => entry.lease);
    const kept = await leases.renew(database, hostId, before, durationMs);
    const keptShards = new Set(kept.map((lease) => lease.shard));
    for (const { shard, epoch } of kept) {
      const entry = this.#held.get(shard);
      // The answer may come after the deadline has dropped the lease; it stays dropped.
      if (entry?.lease.epoch === epoch) entry.deadline = asked + (durationMs * 2) / 3;
    }
    for (const lease of before.filter((lease) => !keptShards.has(lease.shard))) {
      // Released meanwhile, by ourselves.
      if (this.#held.get(lease.shard)?.lease !== lease) continue;
      log.warn({ shard: lease.shard, epoch: lease.epoch }, "lease lost");
      this.#drop(lease);
    }
    this.#armDeadline();
  }

  async #take(shard: number): Promise<void> {
    const { database, hostId, durationMs, log, onTaken } = this.#options;
    const asked = performance.now();
    const lease = await leases.take(database, hostId, shard, durationMs);
    if (!lease) return;
    log.info({ shard, epoch: lease.epoch }, "lease taken");
    metrics.leaseChanged("taken");
    this.#held.set(shard, { lease, deadline: asked + (durationMs * 2) / 3 });
    this.#armDeadline();
    onTaken(lease);
  }

  async #giveBack(lease: Lease): Promise<void> {
    const { database, hostId, log, onLost } = this.#options;
    await onLost(lease, false);
    this.#held.delete(lease.shard);
    this.#armDeadline();
    await leases.release(database, hostId, lease).catch((err: unknown) => log.warn({ err }, "lease not released"));
    log.info({ shard: lease.shard, epoch: lease.epoch }, "lease released");
    metrics.leaseChanged("released");
  }

  #drop(lease: Lease): void {
    metrics.leaseChanged("lost");
    this.#held.delete(lease.shard);
    this.#armDeadline();
    void this.#options.onLost(lease, true);
  }

  #armDeadline(): void {
    clearTimeout(this.#deadlineTimer);
    const { durationMs, onExpiry } = this.#options;
    const deadlines = [...this.#held.values()].map((entry) => entry.deadline);
    if (!deadlines.length) {
      onExpiry(undefined);
      return;
    }
    const leftMs = Math.min(...deadlines) - performance.now();
    onExpiry(leftMs + durationMs / 3);
    this.#deadlineTimer = setTimeout(() => this.#dropOverdue(), Math.max(0, leftMs));
  }

  #dropOverdue(): void {
    const overdue = [...this.#held.values()].filter((entry) => entry.deadline <= performance.now());
    for (const { lease } of overdue) {
      this.#options.log.error({ shard: lease.shard }, "lease could not be renewed in time");
      this.#drop(lease);
    }
    // A timer may fire a little early, with nothing overdue yet.
    this.#armDeadline();
  }
}

const pause = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));
