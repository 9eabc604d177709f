import { beforeAll, beforeEach, expect, it } from "vitest";
import { testDatabase, testUser } from "../local/testing/test-database.ts";
import * as commands from "../shared/db/commands.ts";
import * as devices from "../shared/db/devices.ts";
import * as events from "../shared/db/events.ts";
import type { Database } from "../shared/db/pool.ts";
import { messageIdFor, newCommandId } from "../shared/ids.ts";
import type { CommandId, DeviceId, UserId } from "../shared/ids.ts";
import { createLog } from "../shared/log.ts";
import { eventually } from "../tests/support/eventually.ts";
import { commandBook } from "./command-ledger.ts";
import { outcomeRecorder } from "./outcome-recorder.ts";
import type { Outcome, RecordOutcome } from "./outcome-recorder.ts";

const FRIEND = "6281234567890@s.whatsapp.net";
const EPOCH = 3;

let database: Database;
let userId: UserId;
let record: RecordOutcome;
let count = 0;
let device: DeviceId;
let other: DeviceId;

beforeAll(async () => {
  database = await testDatabase();
  userId = await testUser(database);
});
beforeEach(async () => {
  record = outcomeRecorder(database, [commandBook], createLog("test", "silent"));
  [device, other] = [await newDevice(), await newDevice()];
});

async function newDevice(): Promise<DeviceId> {
  const deviceId = `recorder-${++count}` as DeviceId;
  await devices.create(database, { deviceId, userId, deviceName: null }, 1);
  return deviceId;
}

async function newSend(deviceId: DeviceId) {
  const commandId = newCommandId();
  const messageId = messageIdFor(deviceId, commandId);
  const payload = { kind: "send-text", to: FRIEND, text: "halo" } as const;
  await commands.create(database, { commandId, deviceId, userId, payload, messageId });
  await commands.start(database, commandId, EPOCH, "sending");
  return { commandId, messageId, deviceId };
}
type Send = Awaited<ReturnType<typeof newSend>>;

const ack = ({ deviceId, messageId }: Send, epoch = EPOCH): Outcome => {
  return { kind: "ack", deviceId, epoch, messageId, asked: undefined, refusal: undefined };
};
const receipt = ({ deviceId, messageId }: Send, status: "delivered" | "read"): Outcome => {
  const told = { chat: FRIEND, participant: null, messageIds: [messageId], status };
  return { kind: "receipt", deviceId, epoch: EPOCH, receipt: told };
};
const stateOf = async ({ commandId }: { commandId: CommandId }) => (await commands.get(database, commandId))?.state;
const told = async (deviceId: DeviceId) =>
  (await events.listAfter(database, deviceId, 0, 100)).map(({ sequence, type, data }) => [
    sequence,
    type,
    "status" in data ? data.status : undefined,
  ]);

it("records what is known of several devices together, each with its own numbers and in order", async () => {
  const [a, b, c] = [await newSend(device), await newSend(device), await newSend(other)];
  await Promise.all([ack(a), ack(c), receipt(b, "delivered"), receipt(b, "read"), receipt(a, "read")].map(record));
  expect(await Promise.all([a, b, c].map(stateOf))).toEqual(["read", "read", "accepted"]);
  expect(await told(device)).toEqual([
    [1, "message.sent", undefined],
    [2, "message.sent", undefined],
    [3, "message.status", "delivered"],
    [4, "message.status", "read"],
    [5, "message.status", "read"],
  ]);
  expect(await told(other)).toEqual([[1, "message.sent", undefined]]);
});

it("tells nothing twice, however often it hears it", async () => {
  const send = await newSend(device);
  for (let n = 0; n < 2; n++) {
    await Promise.all([ack(send), ack(send), receipt(send, "read"), receipt(send, "delivered")].map(record));
  }
  expect(await stateOf(send)).toBe("read");
  expect(await told(device)).toEqual([
    [1, "message.sent", undefined],
    [2, "message.status", "read"],
  ]);
});

it("writes nothing for a device that another host owns, and all for the others", async () => {
  const [lost, ours] = [await newSend(device), await newSend(other)];
  await Promise.all([record(ack(lost, EPOCH - 1)), record(ack(ours))]);
  expect(await stateOf(lost)).toBe("sending");
  expect(await stateOf(ours)).toBe("accepted");
  expect(await told(device)).toEqual([]);
});

it("keeps no device waiting for one whose row somebody else holds", async () => {
  const [held, free] = [await newSend(device), await newSend(other)];
  const connection = await database.pool.getConnection();
  await connection.beginTransaction();
  try {
    await devices.hold(connection, [{ deviceId: device, epoch: EPOCH }], "waited for");
    const waiting = record(ack(held));
    await record(ack(free));
    expect(await stateOf(free)).toBe("accepted");
    expect(await stateOf(held)).toBe("sending");
    await connection.rollback();
    await waiting;
  } finally {
    connection.release();
  }
  await eventually("the other is recorded, too", 1_000, async () => (await stateOf(held)) === "accepted");
});
