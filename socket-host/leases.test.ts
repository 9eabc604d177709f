import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { testDatabase } from "../local/testing/test-database.ts";
import * as leases from "../shared/db/leases.ts";
import type { Lease } from "../shared/db/leases.ts";
import { execute } from "../shared/db/pool.ts";
import type { Database } from "../shared/db/pool.ts";
import type { HostId } from "../shared/ids.ts";
import { createLog } from "../shared/log.ts";
import { eventually } from "../tests/support/eventually.ts";
import { LeaseKeeper } from "./leases.ts";

const DURATION_MS = 1_200;

describe("the lease keeper", () => {
  let database: Database;
  const keepers: LeaseKeeper[] = [];

  beforeAll(async () => {
    database = await testDatabase();
  });
  beforeEach(async () => {
    await execute(database.pool, "DELETE FROM shard_leases");
    await execute(database.pool, "DELETE FROM hosts");
  });
  afterEach(async () => {
    await Promise.all(keepers.splice(0).map((keeper) => keeper.stop().catch(() => undefined)));
  });

  function keeperOf(name: string, on: Database = database, handOver: Promise<void> = Promise.resolve()) {
    const held = new Set<number>();
    const leaving = new Set<number>();
    const pinned = new Set<number>();
    const expiry: { ms: number | undefined } = { ms: undefined };
    const lost: { shard: number; isUrgent: boolean; at: number }[] = [];
    const keeper = new LeaseKeeper({
      database: on,
      hostId: name as HostId,
      shards: 4,
      durationMs: DURATION_MS,
      log: createLog("test", "silent"),
      onTaken: (lease: Lease) => void held.add(lease.shard),
      onLost: async (lease: Lease, isUrgent: boolean) => {
        leaving.add(lease.shard);
        if (!isUrgent) await handOver;
        held.delete(lease.shard);
        lost.push({ shard: lease.shard, isUrgent, at: performance.now() });
      },
      mayMove: (shard) => !pinned.has(shard),
      loginMs: () => double.loginMs,
      onExpiry: (ms) => void (expiry.ms = ms),
      onRound: async () => undefined,
    });
    keepers.push(keeper);
    const double = { keeper, held, leaving, pinned, lost, expiry, loginMs: 0 };
    return double;
  }

  it("of a lone host takes every shard in its first round", async () => {
    const alone = keeperOf("alone");
    await alone.keeper.start();
    expect([...alone.held].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  });

  it("says when its leases may be another's, and lifts that when it holds none any more", async () => {
    const one = keeperOf("watched");
    await one.keeper.start();
    expect(one.expiry.ms).toBeGreaterThan(0);
    expect(one.expiry.ms).toBeLessThanOrEqual(DURATION_MS);
    await one.keeper.stop();
    expect(one.expiry.ms).toBeUndefined();
  });

  it("shares evenly with a host that joins, handing over without urgency, and no shard is ever held twice", async () => {
    const first = keeperOf("first");
    const second = keeperOf("second");
    await first.keeper.start();
    await second.keeper.start();
    await eventually("two shards each", 5_000, async () => first.held.size === 2 && second.held.size === 2);
    expect([...first.held, ...second.held].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    expect(first.lost.every((one) => !one.isUrgent)).toBe(true);
  });

  it("keeps a shard on which a device is being linked, and gives others", async () => {
    const first = keeperOf("linking");
    first.pinned.add(0).add(1);
    const second = keeperOf("joining");
    await first.keeper.start();
    await second.keeper.start();
    await eventually("two shards each", 5_000, async () => first.held.size === 2 && second.held.size === 2);
    expect([...first.held].toSorted((a, b) => a - b)).toEqual([0, 1]);
  });

  it("raises the epoch of a shard without losing it, and not that of one that it does not hold", async () => {
    const { keeper, held } = keeperOf("raising");
    await keeper.start();
    const raised = await keeper.raise(0, 1_000);
    expect(raised?.epoch).toBe(1_001);
    expect(await keeper.raise(0, 900)).toEqual(raised);
    expect(await leases.renew(database, "raising" as HostId, [{ shard: 0, epoch: 1_001 }], DURATION_MS)).toHaveLength(
      1,
    );
    await keeper.stop();
    expect(held.size).toBe(0);
    expect(await keeper.raise(0, 2_000)).toBeUndefined();
  });

  it("renews while a hand-over takes longer than a lease, and while the host stops", async () => {
    let handOver = () => {};
    const slow = new Promise<void>((resolve) => (handOver = resolve));
    const first = keeperOf("slow", database, slow);
    await first.keeper.start();
    const second = keeperOf("waiting");
    await second.keeper.start();
    await eventually("two are being handed over", 5_000, async () => first.leaving.size === 2);
    const stopping = first.keeper.stop();
    const until = performance.now() + 2 * DURATION_MS;
    await eventually("two leases have passed", 5_000, async () => performance.now() > until);
    expect([second.held.size, first.lost.filter((one) => one.isUrgent)]).toEqual([0, []]);
    handOver();
    await stopping;
    await eventually("all four", 5_000, async () => second.held.size === 4);
  });

  it("takes over what a host gives back when it stops", async () => {
    const first = keeperOf("leaving");
    const second = keeperOf("staying");
    await first.keeper.start();
    await second.keeper.start();
    await eventually("two each", 5_000, async () => second.held.size === 2);
    await first.keeper.stop();
    expect(first.held.size).toBe(0);
    const releasedAt = performance.now();
    await eventually("all four", 5_000, async () => second.held.size === 4);
    // The next look, not the next round.
    expect(performance.now() - releasedAt).toBeLessThan(DURATION_MS / 3);
  });

  it("gives one shard after the other when it stops, in the time that its devices need elsewhere", async () => {
    const first = keeperOf("paced");
    const second = keeperOf("taking");
    await first.keeper.start();
    await second.keeper.start();
    await eventually("two each", 5_000, async () => second.held.size === 2);
    first.loginMs = 300;
    await first.keeper.stop();
    const [one, two] = first.lost.slice(-2).map(({ at }) => at);
    expect((two ?? 0) - (one ?? 0)).toBeGreaterThanOrEqual(299);
  });

  it("drops everything before its leases run out when the database is out of reach", async () => {
    const broken = brokenAfter(database);
    const cut = keeperOf("cut-off", broken.database);
    await cut.keeper.start();
    expect(cut.held.size).toBe(4);
    const cutAt = performance.now();
    broken.cut();
    await eventually("everything dropped", 5_000, async () => cut.held.size === 0);
    expect(cut.lost.every((one) => one.isUrgent)).toBe(true);
    expect(Math.max(...cut.lost.map((one) => one.at)) - cutAt).toBeLessThan(DURATION_MS);
    expect(cut.keeper.valid(0)).toBeUndefined();
  });

  it("does not look at the wall clock: an hour forth or back changes nothing", async () => {
    const { keeper, held, lost } = keeperOf("clock");
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      await keeper.start();
      for (const hours of [1, -2]) {
        vi.setSystemTime(Date.now() + hours * 3_600_000);
        const until = performance.now() + 2 * DURATION_MS;
        await eventually("two leases have passed", 600_000, async () => performance.now() > until);
        expect([held.size, lost, keeper.valid(0)?.shard]).toEqual([4, [], 0]);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it("of a host restarted under the same id takes its own shards at once", async () => {
    const dying = brokenAfter(database);
    const before = keeperOf("same-id", dying.database);
    await before.keeper.start();
    dying.cut();
    const after = keeperOf("same-id");
    await after.keeper.start();
    expect(after.held.size).toBe(4);
    await eventually("the former one has noticed", 5_000, async () => before.held.size === 0);
  });
});

/** A database whose statements time out from a given moment on, as behind a broken network. */
function brokenAfter(database: Database): { database: Database; cut: () => void } {
  let isCut = false;
  const hang = () =>
    new Promise<never>((_, reject) => setTimeout(() => reject(new Error("no answer")), DURATION_MS / 2));
  const pool = new Proxy(database.pool, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...values: unknown[]) => (isCut ? hang() : (value.apply(target, values) as unknown));
    },
  });
  return { database: { pool, close: database.close }, cut: () => (isCut = true) };
}
