import * as z from "zod";
import type { Schedule } from "../../shared/db/schedules.ts";
import { SCHEDULE_STATES } from "../../shared/schedules.ts";
import type { BrokenRule } from "../issue.ts";
import { commandStatus } from "./command.ts";

const NO_ZONE: BrokenRule = {
  sentence: { id: "bukan zona waktu IANA, misalnya Asia/Jakarta", en: "is no IANA time zone, such as Asia/Jakarta" },
};
const LONGEST_ZONE = 64;

/** Offsets such as `+07:00` are none: they do not say when the clocks are put forward. */
function isZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}

export const scheduleTime = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/)
  .meta({
    description:
      "`YYYY-MM-DD HH:mm:ss` on the clocks of `timezone`, within a year. A time that is over is refused (`schedule_time_past`), and so is one over which the clocks are put forward (`schedule_time_skipped`). Where they are put back and show it twice, the earlier is meant, and `note` says so.",
    examples: ["2027-01-01 12:00:00"],
  });

export const timezone = z
  .string()
  .max(LONGEST_ZONE)
  .refine(isZone, { params: NO_ZONE })
  .meta({ description: "A name of the IANA database.", examples: ["Asia/Jakarta"] });

const isoTime = z.iso.datetime();
export const scheduleStatus = z.enum(SCHEDULE_STATES).meta({
  description:
    "`fired`: its time has come, and the message is a command. `failed`: the device was not connected in time. Like `cancelled` they are final.",
});

/** The `data` of a message that was accepted for later. */
export const acceptedSchedule = z.object({
  scheduledMessageId: z.string(),
  deviceId: z.string(),
  scheduleTime: z.string(),
  timezone: z.string(),
  dueAt: isoTime.meta({ description: "The instant that this is." }),
  delaySeconds: z.number().meta({ description: "From the acceptance to that instant." }),
  note: z.string().nullable().meta({ description: "What one might not expect of the time; null: nothing." }),
});

/** @param note a sentence about its time */
export const toAcceptedSchedule = (schedule: Schedule, note: string | null): z.input<typeof acceptedSchedule> => ({
  scheduledMessageId: schedule.scheduleId,
  deviceId: schedule.deviceId,
  scheduleTime: schedule.wallTime,
  timezone: schedule.timeZone,
  dueAt: schedule.dueAt.toISOString(),
  delaySeconds: (schedule.dueAt.getTime() - schedule.createdAt.getTime()) / 1_000,
  note,
});

export const acceptedScheduleExample: z.input<typeof acceptedSchedule> = {
  scheduledMessageId: "sch_019aa1b2c3d4e5f60718293a4b",
  deviceId: "device-001",
  scheduleTime: "2027-01-01 12:00:00",
  timezone: "Asia/Jakarta",
  dueAt: "2027-01-01T05:00:00.000Z",
  delaySeconds: 3_456_000,
  note: null,
};

export const scheduleView = z
  .object({
    scheduledMessageId: z.string(),
    deviceId: z.string(),
    to: z.string().meta({ description: "The recipient's JID." }),
    message: z.string().nullable().meta({ description: "While it is scheduled; it is not kept for longer." }),
    scheduleTime: z.string(),
    timezone: z.string(),
    dueAt: isoTime,
    status: scheduleStatus,
    commandId: z
      .string()
      .nullable()
      .meta({ description: "Once it is fired; `GET …/commands/{commandId}` tells more." }),
    messageId: z.string().nullable().meta({ description: "Once it is fired: its id on WhatsApp." }),
    messageStatus: commandStatus.nullable().meta({ description: "Once it is fired: how far the message has come." }),
    error: z
      .string()
      .nullable()
      .meta({ description: "Why it, or its message, has failed: a code of the table of errors." }),
    createdAt: isoTime,
    endedAt: isoTime.nullable().meta({ description: "When it was fired or cancelled, or has failed." }),
  })
  .meta({ id: "ScheduledMessage" });

export const toScheduleView = (schedule: Schedule): z.input<typeof scheduleView> => ({
  scheduledMessageId: schedule.scheduleId,
  deviceId: schedule.deviceId,
  to: schedule.recipient,
  message: schedule.payload?.kind === "send-text" ? schedule.payload.text : null,
  scheduleTime: schedule.wallTime,
  timezone: schedule.timeZone,
  dueAt: schedule.dueAt.toISOString(),
  status: schedule.state,
  commandId: schedule.commandId,
  messageId: schedule.messageId,
  messageStatus: schedule.commandState,
  error: schedule.errorCode,
  createdAt: schedule.createdAt.toISOString(),
  endedAt: schedule.endedAt?.toISOString() ?? null,
});

export const scheduleExample: z.input<typeof scheduleView> = {
  scheduledMessageId: "sch_019aa1b2c3d4e5f60718293a4b",
  deviceId: "device-001",
  to: "6281234567890@s.whatsapp.net",
  message: "Selamat tahun baru",
  scheduleTime: "2027-01-01 12:00:00",
  timezone: "Asia/Jakarta",
  dueAt: "2027-01-01T05:00:00.000Z",
  status: "scheduled",
  commandId: null,
  messageId: null,
  messageStatus: null,
  error: null,
  createdAt: "2026-11-22T04:30:00.000Z",
  endedAt: null,
};
