import { beforeAll, describe, expect, it } from "vitest";
import { testDatabase, testUser } from "../../local/testing/test-database.ts";
import { messageIdFor, newCommandId } from "../ids.ts";
import type { DeviceId, UserId } from "../ids.ts";
import * as commands from "./commands.ts";
import * as devices from "./devices.ts";
import { execute, select } from "./pool.ts";
import type { Database } from "./pool.ts";

describe("a command's row", () => {
  let database: Database;
  let userId: UserId;
  const deviceId = "commanded" as DeviceId;

  beforeAll(async () => {
    database = await testDatabase();
    userId = await testUser(database);
    await devices.create(database, { deviceId, userId, deviceName: null }, 1);
  });
  const accepted = { state: "accepted", result: { ok: true } } as const;
  async function newSend() {
    const commandId = newCommandId();
    const payload = { kind: "send-text", to: "6281234567890@s.whatsapp.net", text: "rahasia sekali" } as const;
    await commands.create(database, {
      commandId,
      deviceId,
      userId,
      payload,
      messageId: messageIdFor(deviceId, commandId),
    });
    return commandId;
  }

  it("starts as often as a crash makes it, and never after it was finished", async () => {
    const commandId = await newSend();
    expect(await commands.start(database, commandId, 1, "sending")).toBe(true);
    expect(await commands.start(database, commandId, 1, "sending")).toBe(true);
    expect(await commands.finish(database.pool, commandId, 1, accepted)).toBe(true);
    expect(await commands.start(database, commandId, 1, "sending")).toBe(false);
    expect(await commands.finish(database.pool, commandId, 1, { state: "failed", errorCode: "late" })).toBe(false);
  });

  it("loses its content when it is finished and keeps its result", async () => {
    const commandId = await newSend();
    await commands.start(database, commandId, 1, "sending");
    await commands.finish(database.pool, commandId, 1, accepted);
    const command = await commands.get(database, commandId);
    expect(command).toMatchObject({ state: "accepted", payload: null, result: { ok: true } });
    const [row] = await select<{ dump: string }>(
      database.pool,
      "SELECT CONCAT_WS('|', payload, result, error_detail) AS dump FROM commands WHERE command_id = ?",
      [commandId],
    );
    expect(row?.dump).not.toContain("rahasia");
  });

  it("that nobody began in time has failed from that moment on, and one that was begun goes on", async () => {
    const [overdue, begun] = [await newSend(), await newSend()];
    await commands.start(database, begun, 1, "sending");
    const past = "UPDATE commands SET expires_at = NOW(3) - INTERVAL 1 SECOND WHERE command_id IN (?, ?)";
    await execute(database.pool, past, [overdue, begun]);
    const shown = { state: "failed", errorCode: "expired", payload: null };
    expect(await commands.get(database, overdue)).toMatchObject(shown);
    expect(await commands.start(database, overdue, 1, "sending")).toBe(false);
    expect(await commands.start(database, begun, 1, "sending")).toBe(true);
    expect(await commands.expire(database, 100)).toBe(1);
    expect(await commands.expire(database, 100)).toBe(0);
    expect(await commands.get(database, overdue)).toMatchObject(shown);
    expect(await commands.get(database, begun)).toMatchObject({ state: "sending" });
  });

  it("that was sent and not answered ends with the link, by the device's owner alone", async () => {
    const commandId = await newSend();
    await commands.start(database, commandId, 1, "sending");
    await commands.abandonMessages(database, deviceId, 0);
    expect(await commands.get(database, commandId)).toMatchObject({ state: "sending" });
    await commands.abandonMessages(database, deviceId, 1);
    expect(await commands.get(database, commandId)).toMatchObject({ state: "failed", errorCode: "outcome_unknown" });
  });

  it("is out of reach of a host whose epoch is over", async () => {
    const commandId = await newSend();
    await commands.start(database, commandId, 5, "sending");
    expect(await commands.start(database, commandId, 4, "sending")).toBe(false);
    expect(await commands.finish(database.pool, commandId, 4, accepted)).toBe(false);
    expect(await commands.finish(database.pool, commandId, 5, accepted)).toBe(true);
  });

  it("begins with others, each by its own device's epoch, and tells which of them may be sent", async () => {
    const [open, again, finished, overdue] = [await newSend(), await newSend(), await newSend(), await newSend()];
    await commands.start(database, again, 5, "sending");
    await commands.finish(database.pool, finished, 5, accepted);
    const past = "UPDATE commands SET expires_at = NOW(3) - INTERVAL 1 SECOND WHERE command_id = ?";
    await execute(database.pool, past, [overdue]);
    const all = [open, again, finished, overdue].map((commandId) => ({ commandId, epoch: 5 }));
    expect(await commands.startSending(database, all)).toEqual(new Set([open, again]));
    expect(await commands.get(database, open)).toMatchObject({ state: "sending" });
    const fenced = await newSend();
    expect(await commands.startSending(database, [{ commandId: fenced, epoch: 4 }])).toEqual(new Set());
    expect(await commands.get(database, fenced)).toMatchObject({ state: "queued" });
    expect(await commands.startSending(database, [{ commandId: fenced, epoch: 6 }])).toEqual(new Set([fenced]));
    expect(await commands.startSending(database, [{ commandId: open, epoch: 5 }])).toEqual(new Set());
    await commands.abandonMessages(database, deviceId, 6);
  });

  it("only moves forward: read is not undone by a late delivered", async () => {
    const commandId = await newSend();
    const state = async () => (await commands.statesOf(database.pool, [commandId])).get(commandId);
    await commands.start(database, commandId, 6, "sending");
    await commands.setReachedHeld(database.pool, [commandId], "delivered");
    expect(await state()).toBe("sending");
    expect(await commands.markUnknown(database, commandId, 6)).toBe(true);
    await commands.acceptHeld(database.pool, [{ commandId, result: accepted.result }]);
    expect(await commands.markUnknown(database, commandId, 6)).toBe(false);
    await commands.setReachedHeld(database.pool, [commandId], "read");
    await commands.setReachedHeld(database.pool, [commandId], "delivered");
    await commands.acceptHeld(database.pool, [{ commandId, result: {} }]);
    expect(await commands.get(database, commandId)).toMatchObject({ state: "read", result: accepted.result });
  });

  it("is listed for the next login while its outcome is open, oldest first", async () => {
    const first = await newSend();
    const second = await newSend();
    await commands.start(database, second, 6, "sending");
    await commands.start(database, first, 6, "sending");
    await commands.markUnknown(database, first, 6);
    const open = await commands.listOpenMessages(database, deviceId);
    expect(open.map((command) => command.commandId)).toEqual([first, second]);
  });
});
