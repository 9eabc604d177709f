/** Messages to be sent at a time to come. */
import type { CommandMessage } from "./commands.ts";
import type { CommandId, DeviceId, ScheduleId } from "./ids.ts";

/** `fired`: its message is a command from then on. `failed`: it could not be fired in time. The rest is final, too. */
export const SCHEDULE_STATES = ["scheduled", "fired", "cancelled", "failed"] as const;
export type ScheduleState = (typeof SCHEDULE_STATES)[number];

/** Of one device. More are refused: what waits is bounded. */
export const MAX_OPEN_SCHEDULES = 10_000;
/** A host that is woken looks so far ahead and holds what it finds to its second. More than any wake-up comes early. */
export const HORIZON_SECONDS = 150;

/** What tells the host of a device to look at its schedules. Each schedule has one body, which a queue takes once. */
export const wakeFor = (scheduleId: ScheduleId, deviceId: DeviceId): CommandMessage => ({
  commandId: scheduleId as string as CommandId,
  deviceId,
  wakesSchedules: true,
});
