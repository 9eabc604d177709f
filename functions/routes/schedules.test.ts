import { GetScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { afterAll, describe, expect, test } from "vitest";
import { eventually } from "../../tests/support/eventually.ts";
import * as devices from "../../shared/db/devices.ts";
import { execute } from "../../shared/db/pool.ts";
import * as schedules from "../../shared/db/schedules.ts";
import type { DeviceId, ScheduleId } from "../../shared/ids.ts";
import { openScheduler } from "../../shared/scheduler.ts";
import { wakeFor } from "../../shared/schedules.ts";
import { sweepSchedules } from "../../shared/sweep-schedules.ts";
import { startGateway } from "../testing/gateway.ts";
import type { Ask } from "../testing/gateway.ts";

const gateway = await startGateway({ APP_TIMEZONE: "Asia/Jakarta" });
const { call, database, services, queues } = gateway;
const BASE = "/api/whatsapp-multi-device";
const deviceId = await gateway.createDevice("calendar");
const client = new SchedulerClient({});
const nowhere = openScheduler({ ...services.config.scheduler, group: "missing" });
afterAll(() => {
  client.destroy();
  nowhere.close();
});

const plan = (question: Ask, changed: Parameters<typeof call>[3] = {}) =>
  call("POST", `${BASE}/devices/${deviceId}/schedule-message`, question, changed);
const MINUTE_MS = 60_000;
/** The form of the contract, in UTC, so many minutes ahead. */
const wallTime = (aheadMinutes: number) =>
  new Date(Date.now() + aheadMinutes * MINUTE_MS).toISOString().slice(0, 19).replace("T", " ");
const inUtc = (aheadMinutes: number, more: object = {}) => ({
  to: "081234567890",
  message: "Nanti",
  scheduleTime: wallTime(aheadMinutes),
  timezone: "UTC",
  ...more,
});
const inScheduler = (name: string) => client.send(new GetScheduleCommand({ Name: name }));
const armed = async (answer: Awaited<ReturnType<typeof plan>>) =>
  inScheduler(String(answer.body.data["scheduledMessageId"]));

describe("a scheduled message", () => {
  test("is a row, and a schedule that wakes the host in the minute before", async () => {
    const body = inUtc(30);
    const answer = await plan({ body });
    expect(answer.status).toBe(201);
    const dueAt = new Date(`${body.scheduleTime.replace(" ", "T")}Z`);
    expect(answer.body.data).toMatchObject({ deviceId, scheduleTime: body.scheduleTime, timezone: "UTC", note: null });
    expect(answer.body.data["dueAt"]).toBe(dueAt.toISOString());
    expect(answer.body.data["delaySeconds"]).toBeGreaterThan(29 * 60);
    const { ScheduleExpression, ScheduleExpressionTimezone, ActionAfterCompletion, Target } = await armed(answer);
    const wakeAt = new Date(Math.floor(dueAt.getTime() / MINUTE_MS) * MINUTE_MS - MINUTE_MS);
    expect(ScheduleExpression).toBe(`at(${wakeAt.toISOString().slice(0, 19)})`);
    expect({ ScheduleExpressionTimezone, ActionAfterCompletion }).toEqual({
      ScheduleExpressionTimezone: "UTC",
      ActionAfterCompletion: "DELETE",
    });
    const id = answer.body.data["scheduledMessageId"] as ScheduleId;
    expect(JSON.parse(Target?.Input ?? "")).toEqual(wakeFor(id, deviceId));
    expect(Target?.Input).not.toContain("Nanti");
  });

  test("that is due within minutes wakes the host at once", async () => {
    const answer = await plan({ body: inUtc(1) });
    await expect(armed(answer)).rejects.toThrow("not exist");
    const commandId = answer.body.data["scheduledMessageId"];
    await eventually("the queue has brought it", 20_000, async () => {
      for (let shard = 0; shard < queues.shards; shard++) {
        const received = await queues.receive(shard, AbortSignal.timeout(2_000)).catch(() => []);
        if (received.some(({ message }) => message?.wakesSchedules && message.commandId === commandId)) return true;
      }
      return false;
    });
  });

  test("is by the clocks of the installation without a timezone", async () => {
    const { body } = await plan({ body: inUtc(600, { timezone: undefined }) });
    expect(body.data["timezone"]).toBe("Asia/Jakarta");
    expect(body.data["delaySeconds"]).toBeLessThan(180.5 * 60);
  });

  /** The next last Sunday of a month, when Europe moves its clocks. */
  function lastSunday(month: number, year = new Date().getUTCFullYear()): string {
    const last = new Date(Date.UTC(year, month, 0));
    last.setUTCDate(last.getUTCDate() - last.getUTCDay());
    return last.getTime() > Date.now() ? last.toISOString().slice(0, 10) : lastSunday(month, year + 1);
  }
  const inBerlin = (scheduleTime: string) => ({ body: inUtc(0, { scheduleTime, timezone: "Europe/Berlin" }) });

  test("at a time that comes twice is for the earlier, and says so", async () => {
    const question = inBerlin(`${lastSunday(10)} 02:30:00`);
    const answer = await plan({ ...question, headers: { "accept-language": "en" } });
    expect(answer.body.data["dueAt"]).toBe(`${lastSunday(10)}T00:30:00.000Z`);
    expect(answer.body.data["note"]).toContain("twice; the earlier is meant");
  });

  test("at a time over which the clocks are put forward is refused with the reason", async () => {
    const question = inBerlin(`${lastSunday(3)} 02:30:00`);
    const { status, body } = await plan({ ...question, headers: { "accept-language": "en" } });
    expect(status).toBe(422);
    expect(body.error.code).toBe("schedule_time_skipped");
    expect(body.error.details?.[0]).toMatchObject({
      path: "body.scheduleTime",
      message: expect.stringContaining("Europe/Berlin are put forward"),
    });
  });

  test.each([
    ["schedule_time_past", { scheduleTime: wallTime(-1) }],
    ["validation_failed", { scheduleTime: wallTime(366 * 24 * 60 + 5) }],
    ["validation_failed", { scheduleTime: "2027-02-30 12:00:00" }],
    ["validation_failed", { scheduleTime: "2027-02-01T12:00:00Z" }],
    ["validation_failed", { timezone: "+07:00" }],
    ["validation_failed", { timezone: "Asia/Bandung" }],
    ["validation_failed", { message: "x".repeat(4_097) }],
    ["validation_failed", { scheduleTime: undefined }],
    ["invalid_phone", { to: "12" }],
  ])("is refused as %s with %o", async (code, wrong) => {
    const { body } = await plan({ body: inUtc(30, wrong) });
    expect(body.error.code).toBe(code);
  });

  test("under one key is one, with the same answer also when its time is over", async () => {
    const question = { body: inUtc(40), headers: { "idempotency-key": "calendar-1" } };
    const answers = await Promise.all(Array.from({ length: 20 }, () => plan(question)));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body.data))).size).toBe(1);
    const id = answers[0]?.body.data["scheduledMessageId"] as string;
    await execute(database.pool, "UPDATE schedules SET due_at = NOW(3) - INTERVAL 1 DAY WHERE schedule_id = ?", [id]);
    const again = await plan(question);
    expect(again.body.data["scheduledMessageId"]).toBe(id);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const other = await plan({ ...question, body: { ...question.body, message: "Lain" } });
    expect(other.body.error.code).toBe("idempotency_mismatch");
  });

  test("is listed by pages, shown with its content, and cancelled once for all", async () => {
    const own = await gateway.createDevice("calendar-2");
    const make = () => call("POST", `${BASE}/devices/${own}/schedule-message`, { body: inUtc(30) });
    const ids: unknown[] = [];
    for (let n = 0; n < 3; n++) ids.push((await make()).body.data["scheduledMessageId"]);
    const list = async (query: string) =>
      (await call("GET", `${BASE}/devices/${own}/scheduled-messages?${query}`)).body.data;
    expect(await list("pageSize=2&page=2")).toMatchObject({
      scheduledMessages: [{ scheduledMessageId: ids[0], message: "Nanti", status: "scheduled" }],
      pagination: { page: 2, pageSize: 2, total: 3, totalPages: 2 },
    });
    const path = `${BASE}/scheduled-messages/${String(ids[1])}`;
    const cancelled = await call("DELETE", path);
    expect(cancelled.body.data).toMatchObject({ status: "cancelled", message: null, commandId: null });
    expect((await call("DELETE", path)).status).toBe(200);
    await expect(inScheduler(String(ids[1]))).rejects.toThrow("not exist");
    expect(await list("status=scheduled")).toMatchObject({ pagination: { total: 2 } });
    expect((await call("GET", `${BASE}/scheduled-messages/sch_none`)).body.error.code).toBe("schedule_not_found");
  });

  test("is either fired or cancelled, however close the two are", async () => {
    const own = await gateway.createDevice("calendar-3");
    await devices.setStatus(database.pool, own, 1, { status: "connected", statusReason: null, connectionAttempts: 0 });
    const outcomes = new Set<string>();
    for (let n = 0; n < 30; n++) {
      const made = await call("POST", `${BASE}/devices/${own}/schedule-message`, { body: inUtc(30) });
      const id = made.body.data["scheduledMessageId"] as ScheduleId;
      const schedule = await schedules.get(database, id);
      if (!schedule) throw new Error("no row");
      const [fired, cancelled] = await Promise.all([
        schedules.fire(database, schedule, 1),
        call("DELETE", `${BASE}/scheduled-messages/${id}`),
      ]);
      const last = await schedules.get(database, id);
      expect(fired === "no" ? "cancelled" : "fired").toBe(last?.state);
      expect(cancelled.status).toBe(fired === "no" ? 200 : 409);
      expect(await schedules.fire(database, schedule, 1)).toBe("no");
      outcomes.add(last?.state ?? "");
    }
    expect([...outcomes]).not.toContain("scheduled");
  });
});

test("a schedule that the scheduler does not take is accepted, and armed by the sweep", async () => {
  const answer = await plan({ body: inUtc(50) }, { scheduler: nowhere });
  expect(answer.status).toBe(201);
  await expect(armed(answer)).rejects.toThrow("not exist");
  const id = answer.body.data["scheduledMessageId"] as string;
  expect(await sweepSchedules(services, 10)).toBe(0);
  const long = "UPDATE schedules SET created_at = NOW(3) - INTERVAL 1 MINUTE WHERE schedule_id = ?";
  await execute(database.pool, long, [id]);
  expect(await sweepSchedules(services, 10)).toBe(1);
  expect((await armed(answer)).State).toBe("ENABLED");
  expect(await sweepSchedules(services, 10)).toBe(0);
});

test("the scheduler puts what wakes a host into the queue of its shard, when the time has come", async () => {
  const id = "sch_0000" as ScheduleId;
  const message = wakeFor(id, "calendar" as DeviceId);
  await services.scheduler.set(id, new Date(Date.now() + 1_500), { queueArn: await queues.arnOf(1), message });
  const received = await eventually("the message has come", 20_000, async () => {
    const some = await queues.receive(1, AbortSignal.timeout(5_000)).catch(() => []);
    return some.find((one) => one.message?.commandId === (id as string));
  });
  expect(received.message).toEqual(message);
  await eventually("it is forgotten", 5_000, () =>
    inScheduler(id).then(
      () => false,
      () => true,
    ),
  );
});
