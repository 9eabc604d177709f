import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testDatabase, testUser } from "../../local/testing/test-database.ts";
import type { DeviceId, HostId } from "../ids.ts";
import * as devices from "./devices.ts";
import * as events from "./events.ts";
import * as leases from "./leases.ts";
import { execute, transaction } from "./pool.ts";
import type { Database } from "./pool.ts";

const ALICE = "host-alice" as HostId;
const BOB = "host-bob" as HostId;
const LONG_MS = 60_000;

describe("shard leases", () => {
  let database: Database;

  beforeAll(async () => {
    database = await testDatabase();
  });
  beforeEach(async () => {
    await execute(database.pool, "DELETE FROM shard_leases");
    await leases.ensureShards(database, 4);
  });
  const expire = (shard: number) =>
    execute(database.pool, "UPDATE shard_leases SET expires_at = NOW(6) - INTERVAL 1 SECOND WHERE shard = ?", [shard]);

  it("a free shard is taken by exactly one of many hosts that try at once", async () => {
    const hosts = Array.from({ length: 12 }, (_, n) => `host-${n}` as HostId);
    const taken = await Promise.all(hosts.map((host) => leases.take(database, host, 0, LONG_MS)));
    expect(taken.filter(Boolean)).toEqual([{ shard: 0, epoch: 1 }]);
  });

  it("is renewed by its holder and by nobody else, and not after it was taken over", async () => {
    const lease = await leases.take(database, ALICE, 1, LONG_MS);
    expect(lease && (await leases.renew(database, ALICE, [lease], LONG_MS))).toEqual([lease]);
    expect(lease && (await leases.renew(database, BOB, [lease], LONG_MS))).toEqual([]);
    expect(await leases.listFree(database)).toEqual([0, 2, 3]);
    await expire(1);
    expect(await leases.take(database, BOB, 1, LONG_MS)).toEqual({ shard: 1, epoch: 2 });
    expect(lease && (await leases.renew(database, ALICE, [lease], LONG_MS))).toEqual([]);
  });

  it("is free at once after its release, and a stale release changes nothing", async () => {
    const lease = await leases.take(database, ALICE, 2, LONG_MS);
    if (!lease) throw new Error("not taken");
    await leases.release(database, ALICE, lease);
    const next = await leases.take(database, BOB, 2, LONG_MS);
    await leases.release(database, ALICE, lease);
    expect(next && (await leases.renew(database, BOB, [next], LONG_MS))).toEqual([next]);
  });

  it("fences whatever a former holder still writes: status, events", async () => {
    const userId = await testUser(database);
    const deviceId = "fenced" as DeviceId;
    await devices.create(database, { deviceId, userId, deviceName: null }, 1);
    const old = await leases.take(database, ALICE, 0, LONG_MS);
    await expire(0);
    const now = await leases.take(database, BOB, 0, LONG_MS);
    const write = (epoch: number) =>
      transaction(database, async (runner) => {
        const change = { status: "connected", statusReason: null, connectionAttempts: 0 } as const;
        const isWritten = await devices.setStatus(runner, deviceId, epoch, change);
        const data = { status: "connected", reason: null, phoneNumber: null } as const;
        const event = { type: "device.status", data, dedupeKey: null, occurredAt: new Date() } as const;
        return [isWritten, await events.append(runner, deviceId, epoch, [event])];
      });
    expect(await write(old?.epoch ?? 0)).toEqual([false, "fenced"]);
    expect(await write(now?.epoch ?? 0)).toEqual([true, 1]);
  });

  it("counts the hosts that live, and forgets one that has left or fallen silent", async () => {
    await execute(database.pool, "DELETE FROM hosts");
    expect(await leases.beat(database, ALICE, LONG_MS)).toBe(1);
    expect(await leases.beat(database, BOB, LONG_MS)).toBe(2);
    await execute(database.pool, "UPDATE hosts SET expires_at = NOW(6) - INTERVAL 1 SECOND WHERE host_id = ?", [ALICE]);
    expect(await leases.beat(database, BOB, LONG_MS)).toBe(1);
    await leases.leave(database, BOB);
    expect(await leases.beat(database, ALICE, LONG_MS)).toBe(1);
  });

  it("a connected device is shown connected only while its shard is held and its socket was heard", async () => {
    const userId = await testUser(database);
    const deviceId = "truthful" as DeviceId;
    await devices.create(database, { deviceId, userId, deviceName: null }, 1);
    const shown = async () => {
      const device = await devices.get(database, { userId, role: "user", deviceIds: null }, deviceId);
      return [device?.status, device?.isConnected, device?.statusReason];
    };
    const lease = await leases.take(database, ALICE, 0, LONG_MS);
    const change = { status: "connected", statusReason: null, connectionAttempts: 0 } as const;
    await devices.setStatus(database.pool, deviceId, lease?.epoch ?? 0, change);
    expect(await shown()).toEqual(["connected", true, null]);
    await execute(database.pool, "UPDATE devices SET alive_at = NOW(3) - INTERVAL 80 SECOND WHERE device_id = ?", [
      deviceId,
    ]);
    expect(await shown()).toEqual(["disconnected", false, "silent"]);
    await devices.markAlive(database, [deviceId], lease?.epoch ?? 0);
    expect(await shown()).toEqual(["connected", true, null]);
    await expire(0);
    expect(await shown()).toEqual(["disconnected", false, "no_host"]);
    await leases.take(database, BOB, 0, LONG_MS);
    expect(await shown()).toEqual(["connecting", false, "host_changed"]);
  });
});
