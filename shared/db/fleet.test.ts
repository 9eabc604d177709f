import { expect, test } from "vitest";
import { testDatabase, testUser } from "../../local/testing/test-database.ts";
import type { DeviceId } from "../ids.ts";
import * as devices from "./devices.ts";
import { readFleet } from "./fleet.ts";
import { ensureShards } from "./leases.ts";
import { execute } from "./pool.ts";

const database = await testDatabase();

test("the fleet is counted: hosts, shards that nobody holds, devices that are wanted, connected, degraded", async () => {
  const userId = await testUser(database);
  const nothing = { hosts: 0, unheldShards: 0, wantedDevices: 0, connectedDevices: 0, degradedDevices: 0 };
  expect(await readFleet(database)).toEqual(nothing);
  await ensureShards(database, 4);
  for (const status of ["connected", "connected", "degraded", "connecting", "logged_out"]) {
    const deviceId = `fleet-${Math.random().toString(36).slice(2)}` as DeviceId;
    await devices.create(database, { deviceId, userId, deviceName: null }, 4);
    const desired = status === "logged_out" ? "disconnected" : "connected";
    await execute(database.pool, "UPDATE devices SET status = ?, desired = ? WHERE device_id = ?", [
      status,
      desired,
      deviceId,
    ]);
  }
  const counted = { unheldShards: 4, wantedDevices: 4, connectedDevices: 2, degradedDevices: 1 };
  expect(await readFleet(database)).toEqual({ hosts: 0, ...counted });
});
