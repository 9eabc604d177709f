import * as z from "zod";
import * as schedules from "../../shared/db/schedules.ts";
import { dispatchSchedule, findScheduleReplay } from "../../shared/dispatch-schedule.ts";
import { ApiError } from "../../shared/errors.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import type { ScheduleId } from "../../shared/ids.ts";
import { idempotency, IDEMPOTENCY_REPLAYED, idempotencyKey } from "../idempotency.ts";
import type { Sentence } from "../language.ts";
import { ownDevice, ownRow } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { scheduledInstant } from "../scheduled-instant.ts";
import { deviceParams } from "../schemas/device.ts";
import { messageText } from "../schemas/message-text.ts";
import { pageQuery, pagination, toPagination } from "../schemas/page.ts";
import { recipient } from "../schemas/recipient.ts";
import {
  acceptedSchedule,
  acceptedScheduleExample,
  scheduleExample,
  scheduleStatus,
  scheduleTime,
  scheduleView,
  timezone,
  toAcceptedSchedule,
  toScheduleView,
} from "../schemas/schedule.ts";

const BASE = "/api/whatsapp-multi-device";
const FURTHEST_MS = 366 * 86_400_000;

const scheduleParams = z.object({
  id: z
    .string()
    .regex(/^\w{1,40}$/)
    .transform((value) => value as ScheduleId),
});

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export const scheduleRoutes = (regions: readonly string[] | undefined): Route[] => [
  scheduleMessage(regions),
  listSchedules,
  getSchedule,
  cancelSchedule,
];

const scheduleMessage = (regions: readonly string[] | undefined) =>
  route({
    name: "scheduleMessage",
    method: "post",
    path: `${BASE}/devices/:deviceId/schedule-message`,
    tag: "Scheduled messages",
    scope: "messages:write",
    summary: "Send a text message at a time to come",
    description:
      "To the second, and once, whatever is restarted meanwhile. The device need not be connected now. If it is not when the time has come, the message waits for it for `SCHEDULE_GRACE_MINUTES`, then it has failed. `schedule.fired` tells of both. A device has at most 10,000 that wait for their time.",
    params: deviceParams,
    headers: z.object({ "idempotency-key": idempotencyKey.optional() }),
    body: z.object({
      to: recipient(regions),
      message: messageText,
      scheduleTime,
      timezone: timezone.optional().meta({ description: "Not given: `APP_TIMEZONE`." }),
    }),
    bodyExample: {
      to: "081234567890",
      message: "Selamat tahun baru",
      scheduleTime: "2027-01-01 12:00:00",
      timezone: "Asia/Jakarta",
    },
    answers: {
      201: answer(
        { id: "Pesan dijadwalkan", en: "The message is scheduled" },
        acceptedSchedule,
        acceptedScheduleExample,
      ),
    },
    errors: [
      "invalid_phone",
      "device_not_found",
      "idempotency_mismatch",
      "limit_reached",
      "schedule_time_past",
      "schedule_time_skipped",
    ],
    async handle({ params, headers, body }, call) {
      const { services, language } = call;
      const device = await ownDevice(call, params.deviceId);
      const timeZone = body.timezone ?? services.config.timeZone;
      const once = idempotency(headers["idempotency-key"], call);
      // What was accepted in time stays accepted.
      const replay = once && (await findScheduleReplay(services.database, device.userId, once));
      const instant = dueInstant(body.scheduleTime, timeZone, replay !== undefined, call);
      const payload = { kind: "send-text" as const, to: body.to, text: body.message };
      const plan = { payload, wallTime: body.scheduleTime, timeZone, dueAt: instant.at };
      const dispatched = replay ?? (await dispatchSchedule(services, device, plan, once));
      if (dispatched.outcome === "mismatch") throw new ApiError("idempotency_mismatch");
      if (dispatched.outcome === "full") throw new ApiError("limit_reached");
      const note = instant.outcome === "repeated" ? REPEATED(timeZone)[language] : null;
      return {
        status: 201,
        data: toAcceptedSchedule(dispatched.schedule, note),
        headers: dispatched.isReplay ? IDEMPOTENCY_REPLAYED : {},
      };
    },
  });

const REPEATED = (zone: string): Sentence => ({
  id: `jam di ${zone} dimundurkan melewati waktu ini sehingga terjadi dua kali; yang lebih awal yang dipakai`,
  en: `the clocks of ${zone} are put back over this time, so that it comes twice; the earlier is meant`,
});
const SKIPPED = (zone: string): Sentence => ({
  id: `tidak ada: jam di ${zone} dimajukan melewati waktu ini`,
  en: `does not exist: the clocks of ${zone} are put forward over it`,
});

/** Throws with the reason when nothing can be sent at that time. */
function dueInstant(wallTime: string, timeZone: string, isReplay: boolean, { language }: Call) {
  const refused = (code: ErrorCode, sentence: Sentence) =>
    new ApiError(code, [{ path: "body.scheduleTime", message: sentence[language] }]);
  const instant = scheduledInstant(wallTime, timeZone);
  if (instant.outcome === "invalid")
    throw refused("validation_failed", {
      id: "bukan tanggal dan waktu yang ada",
      en: "is no date and time that exists",
    });
  if (instant.outcome === "skipped") throw refused("schedule_time_skipped", SKIPPED(timeZone));
  const aheadMs = instant.at.getTime() - Date.now();
  if (isReplay) return instant;
  if (aheadMs <= 0)
    throw refused("schedule_time_past", { id: `sudah lewat di ${timeZone}`, en: `is over in ${timeZone}` });
  if (aheadMs > FURTHEST_MS)
    throw refused("validation_failed", { id: "lebih dari setahun lagi", en: "is more than a year ahead" });
  return instant;
}

const listSchedules = route({
  name: "listScheduledMessages",
  method: "get",
  path: `${BASE}/devices/:deviceId/scheduled-messages`,
  tag: "Scheduled messages",
  scope: "messages:write",
  polled: true,
  summary: "The scheduled messages of a device",
  description: "Those that were made last first, ended ones too.",
  params: deviceParams,
  query: z.object({ ...pageQuery, status: scheduleStatus.optional() }),
  answers: {
    200: answer(
      { id: "Daftar pesan terjadwal", en: "The scheduled messages" },
      z.object({ scheduledMessages: z.array(scheduleView), pagination }),
      {
        scheduledMessages: [scheduleExample],
        pagination: { page: 1, pageSize: 10, total: 1, totalPages: 1 },
      },
    ),
  },
  errors: ["device_not_found"],
  async handle({ params, query }, call) {
    const { page, pageSize, status } = query;
    const { deviceId } = await ownDevice(call, params.deviceId);
    const limits = { limit: pageSize, offset: (page - 1) * pageSize };
    const found = await schedules.list(call.services.database, deviceId, status, limits);
    const scheduledMessages = found.schedules.map(toScheduleView);
    return { status: 200, data: { scheduledMessages, pagination: toPagination(page, pageSize, found.total) } };
  },
});

const getSchedule = route({
  name: "getScheduledMessage",
  method: "get",
  path: `${BASE}/scheduled-messages/:id`,
  tag: "Scheduled messages",
  scope: "messages:write",
  polled: true,
  summary: "A scheduled message",
  description: "Also after its time: then how far the message has come.",
  params: scheduleParams,
  answers: { 200: answer({ id: "Pesan terjadwal", en: "The scheduled message" }, scheduleView, scheduleExample) },
  errors: ["schedule_not_found"],
  async handle({ params }, call) {
    const schedule = await schedules.get(call.services.database, params.id);
    return { status: 200, data: toScheduleView(await ownRow(call, schedule, "schedule_not_found")) };
  },
});

const cancelSchedule = route({
  name: "cancelScheduledMessage",
  method: "delete",
  path: `${BASE}/scheduled-messages/:id`,
  tag: "Scheduled messages",
  scope: "messages:write",
  summary: "Cancel a scheduled message",
  description:
    "After the answer it is not sent. 409 `schedule_has_ended`: it has been fired, and is, or it has failed. One that is cancelled already is answered as such.",
  params: scheduleParams,
  answers: {
    200: answer({ id: "Pesan terjadwal dibatalkan", en: "The scheduled message is cancelled" }, scheduleView, {
      ...scheduleExample,
      status: "cancelled",
      message: null,
    }),
  },
  errors: ["schedule_not_found", "schedule_has_ended"],
  async handle({ params }, call) {
    const { database, scheduler, log } = call.services;
    const found = await schedules.get(database, params.id);
    const { scheduleId } = await ownRow(call, found, "schedule_not_found");
    await schedules.cancel(database, scheduleId);
    const schedule = await schedules.get(database, scheduleId);
    if (schedule?.state !== "cancelled") throw new ApiError("schedule_has_ended");
    // Left over, it wakes a host for nothing.
    await scheduler
      .remove(scheduleId)
      .catch((err: unknown) => log.warn({ err, scheduleId }, "schedule not taken from the scheduler"));
    return { status: 200, data: toScheduleView(schedule) };
  },
});
