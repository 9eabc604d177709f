import { beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

type ScheduleView = { status: string; dueAt: string; messageId: string | null; messageStatus: string | null };

/** On a busy machine everything. */
const WAIT_MS = 60_000;
const LATEST_MS = 2_000;
const ZONE = "America/New_York";
const RESTARTED = ["api", "socket-host-1", "local-cloud", "database"];

describe("a scheduled message", { timeout: 240_000 }, () => {
  let stack: Stack;
  let gateway: Gateway;
  let friend: Phone;

  beforeAll(async () => {
    stack = await freshStack({ environment: { RATE_LIMIT_PER_MINUTE: "0" } });
    gateway = new Gateway(stack);
    friend = await Phone.create(stack, "6281100000082");
    await gateway.link("calendar", await Phone.create(stack, "6281100000081"));
  });

  /** What the clocks of New York show so many seconds from now, on the full second. */
  const wallTime = (seconds: number) =>
    new Date(Math.ceil(Date.now() / 1_000) * 1_000 + seconds * 1_000).toLocaleString("sv-SE", { timeZone: ZONE });
  async function schedule(message: string, scheduleTime: string): Promise<{ id: string; dueAt: number }> {
    const body = { to: friend.number, message, scheduleTime, timezone: ZONE };
    const answer = await gateway.call("POST", "/devices/calendar/schedule-message", body);
    expect(answer.status).toBe(201);
    return { id: answer.body.data.scheduledMessageId, dueAt: Date.parse(answer.body.data.dueAt) };
  }
  const look = async (id: string) => (await gateway.call("GET", `/scheduled-messages/${id}`)).body.data as ScheduleView;
  const inboxOf = async (text: string) => (await friend.inbox()).filter((message) => message.text === text);
  /** When WhatsApp had it, by the event. */
  async function sentAt(id: string): Promise<number> {
    const { messageId } = await eventually(`${id} is accepted`, WAIT_MS, async () => {
      const view = await look(id);
      return ["accepted", "delivered", "read"].includes(view.messageStatus ?? "") && view;
    });
    const sent = (await eventsAfter(0)).find(
      ({ type, data }) => type === "message.sent" && data["messageId"] === messageId,
    );
    return Date.parse(sent?.occurredAt ?? "");
  }
  const eventsAfter = async (after: number) => await gateway.events("calendar", after);

  it("is sent once and in time, though everything was restarted in between", async () => {
    let lateMs = Number.POSITIVE_INFINITY;
    // A busy machine may take longer to come back than the first of them leaves.
    for (const leadSeconds of [15, 30, 60]) {
      const text = `nanti ${leadSeconds}`;
      const { id, dueAt } = await schedule(text, wallTime(leadSeconds));
      for (const name of RESTARTED) stack.kill(name, "SIGKILL");
      const at = await sentAt(id);
      expect(await inboxOf(text)).toMatchObject([{ copies: 1 }]);
      expect(at).toBeGreaterThanOrEqual(dueAt);
      lateMs = at - dueAt;
      if (lateMs < LATEST_MS) break;
    }
    expect(lateMs).toBeLessThan(LATEST_MS);
    const fired = (await eventsAfter(0)).filter(({ type }) => type === "schedule.fired");
    expect(fired.at(-1)?.data).toMatchObject({ status: "fired", to: `${friend.number}@s.whatsapp.net` });
  });

  it("that is cancelled in its last second is sent or cancelled, never both, never neither", async () => {
    const count = 12;
    const at = wallTime(6);
    const made = await Promise.all(Array.from({ length: count }, (_, n) => schedule(`detik terakhir ${n}`, at)));
    const cancelled = await Promise.all(
      made.map(async ({ id, dueAt }, n) => {
        await new Promise((resolve) => setTimeout(resolve, dueAt - Date.now() - 250 + n * 50));
        const { status } = await gateway.call("DELETE", `/scheduled-messages/${id}`);
        expect([200, 409]).toContain(status);
        return status === 200;
      }),
    );
    for (const [n, { id }] of made.entries()) {
      if (cancelled[n]) expect(await look(id)).toMatchObject({ status: "cancelled", messageId: null });
      else await sentAt(id);
    }
    // Sent after all of them.
    expect((await gateway.send("calendar", friend.number, "sesudah")).status).toBe(200);
    for (const [n, isCancelled] of cancelled.entries()) {
      const copies = (await inboxOf(`detik terakhir ${n}`)).map((message) => message.copies);
      expect(copies, `${n} was ${isCancelled ? "cancelled" : "sent"}`).toEqual(isCancelled ? [] : [1]);
    }
  });

  it("waits for a device that is not connected, and other messages for no scheduled one", async () => {
    await gateway.call("DELETE", "/devices/calendar/disconnect?logout=false");
    const { id, dueAt } = await schedule("menunggu", wallTime(3));
    await eventually("its time is over", WAIT_MS, async () => Date.now() > dueAt + 500);
    expect((await look(id)).status).toBe("scheduled");
    await gateway.call("POST", "/devices/calendar/connect");
    await gateway.connected("calendar", WAIT_MS);
    const later = await schedule("satu menit lagi", wallTime(60));
    expect((await gateway.send("calendar", friend.number, "segera")).status).toBe(200);
    await sentAt(id);
    expect(await inboxOf("menunggu")).toMatchObject([{ copies: 1 }]);
    expect((await look(later.id)).status).toBe("scheduled");
    expect((await gateway.call("DELETE", `/scheduled-messages/${later.id}`)).status).toBe(200);
  });
});
