import { expect, test } from "vitest";
import { testDatabase, testUser } from "../local/testing/test-database.ts";
import { eventually } from "../tests/support/eventually.ts";
import * as devices from "../shared/db/devices.ts";
import * as events from "../shared/db/events.ts";
import * as schedules from "../shared/db/schedules.ts";
import { newScheduleId } from "../shared/ids.ts";
import type { DeviceId } from "../shared/ids.ts";
import { createLog } from "../shared/log.ts";
import type { CommandQueues } from "../shared/queue.ts";
import type { Device } from "./device.ts";
import { ScheduleLine } from "./schedule-line.ts";

test("a schedule whose device does not come back in time has failed, and says why", async () => {
  const database = await testDatabase();
  const userId = await testUser(database);
  const deviceId = "absent" as DeviceId;
  await devices.create(database, { deviceId, userId, deviceName: null }, 1);
  const scheduleId = newScheduleId();
  const payload = { kind: "send-text", to: "6281234567890@s.whatsapp.net", text: "rahasia sekali" } as const;
  const when = { wallTime: "2026-01-01 12:00:00", timeZone: "UTC", dueAt: new Date(Date.now() + 300) };
  await schedules.create(database, { scheduleId, deviceId, userId, payload, ...when });
  const line = new ScheduleLine({
    owned: { deviceId, userId, shard: 0, isWanted: true },
    database,
    queues: {} as CommandQueues,
    device: () => ({ epoch: 1, openConnection: undefined }) as unknown as Device,
    graceMs: 800,
    log: createLog("test", "silent"),
  });
  line.wake();
  const failed = await eventually("it has failed", 30_000, async () => {
    const schedule = await schedules.get(database, scheduleId);
    return schedule?.state === "failed" && schedule;
  });
  line.stop();
  expect(failed).toMatchObject({ errorCode: "not_connected", payload: null, commandId: null });
  expect((failed.endedAt?.getTime() ?? 0) - failed.dueAt.getTime()).toBeGreaterThanOrEqual(800);
  const told = await events.listAfter(database, deviceId, 0, 10);
  expect(told).toMatchObject([
    {
      type: "schedule.fired",
      data: { status: "failed", reason: "not_connected", scheduledMessageId: scheduleId, to: payload.to },
    },
  ]);
});
