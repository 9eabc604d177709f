import { expect, test } from "vitest";
import { testDatabase, testUser } from "../local/testing/test-database.ts";
import * as commands from "./db/commands.ts";
import * as devices from "./db/devices.ts";
import { execute } from "./db/pool.ts";
import { newCommandId } from "./ids.ts";
import type { DeviceId } from "./ids.ts";
import type { CommandMessage } from "./commands.ts";
import type { CommandQueues } from "./queue.ts";
import { sweepCommands } from "./sweep-commands.ts";

test("a command whose process died before it was queued is queued by the sweep, and not each minute again", async () => {
  const database = await testDatabase();
  const userId = await testUser(database);
  const deviceId = "forgotten" as DeviceId;
  await devices.create(database, { deviceId, userId, deviceName: null }, 1);
  const sent: CommandMessage[] = [];
  const queues = { sendAll: async (_shard: number, more: readonly CommandMessage[]) => void sent.push(...more) };
  const services = { database, queues: queues as unknown as CommandQueues };
  const add = async (payload: commands.NewCommand["payload"], ageSeconds: number, owner = deviceId) => {
    const commandId = newCommandId();
    await commands.create(database, { commandId, deviceId: owner, userId, payload, messageId: null });
    const sql = "UPDATE commands SET created_at = NOW(3) - INTERVAL ? SECOND WHERE command_id = ?";
    await execute(database.pool, sql, [ageSeconds, commandId]);
    return commandId;
  };
  const wipe = await add({ kind: "wipe", isRemoved: false }, 90);
  const contacts = await add({ kind: "list-contacts" }, 60);
  await add({ kind: "connect" }, 1);
  await add({ kind: "connect" }, 90, "removed" as DeviceId);

  expect(await sweepCommands(services, 1)).toBe(1);
  expect(await sweepCommands(services, 10)).toBe(1);
  expect(sent).toEqual([
    { commandId: wipe, deviceId, overtakes: true },
    { commandId: contacts, deviceId, isReading: true },
  ]);
  expect(await sweepCommands(services, 10)).toBe(0);
  await execute(database.pool, "UPDATE commands SET requeued_at = NOW(3) - INTERVAL 6 MINUTE");
  expect(await sweepCommands(services, 10)).toBe(2);
});
