import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { testDatabase, testUser } from "../local/testing/test-database.ts";
import * as commands from "../shared/db/commands.ts";
import * as devices from "../shared/db/devices.ts";
import * as events from "../shared/db/events.ts";
import type { Database } from "../shared/db/pool.ts";
import { messageIdFor, newCommandId } from "../shared/ids.ts";
import type { CommandId, DeviceId, UserId } from "../shared/ids.ts";
import { createLog } from "../shared/log.ts";
import { commandBook, commandLedger } from "./command-ledger.ts";
import type { DeviceState, KeyData, OutboxEntry } from "./device-state/state.ts";
import { eventually } from "../tests/support/eventually.ts";
import { MediaMissingError } from "./media/media-missing-error.ts";
import { Outbox } from "./outbox.ts";
import { outcomeRecorder } from "./outcome-recorder.ts";
import { refusalOf } from "./refusal.ts";
import type { Outgoing } from "./send-ledger.ts";
import type { Credentials } from "./whatsapp/credentials.ts";
import type { Socket } from "./whatsapp/socket.ts";

const FRIEND = "6281234567890@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";

describe("the outbox of a device", () => {
  let database: Database;
  let userId: UserId;
  let relayed: string[];
  let kept: Map<string, OutboxEntry>;
  let written: KeyData[];
  const deviceId = "outbox" as DeviceId;

  beforeAll(async () => {
    database = await testDatabase();
    userId = await testUser(database);
    await devices.create(database, { deviceId, userId, deviceName: null }, 1);
  });
  beforeEach(() => {
    relayed = [];
    kept = new Map();
    written = [];
  });

  function open(on: Database = database) {
    const state = {
      get: () => ({}),
      set: (data: KeyData) => void written.push(data),
      setLazily: () => undefined,
      getOutbox: (id: string) => kept.get(id),
      putOutbox: (id: string, entry: OutboxEntry) => void kept.set(id, entry),
    } as unknown as DeviceState<Credentials>;
    const ledgers = [commandLedger(on, deviceId, 1)];
    const chats = { sending: () => undefined, advance: () => undefined };
    const history = { own: () => Promise.resolve(undefined) };
    const record = outcomeRecorder(on, [commandBook], createLog("test", "silent"));
    return new Outbox({ record, deviceId, epoch: 1, state, ledgers, chats, history, log: createLog("test", "silent") });
  }
  /** A socket that says yes to everything and never answers. */
  const socket = {
    encode: () => Promise.resolve(Buffer.from("halo")),
    relay: (_to: string, messageId: string) => Promise.resolve(void relayed.push(messageId)),
  } as unknown as Socket;

  async function newSend(to = FRIEND): Promise<Outgoing & { origin: { commandId: CommandId } }> {
    const commandId = newCommandId();
    const messageId = messageIdFor(deviceId, commandId);
    const payload = { kind: "send-text", to, text: "halo" } as const;
    await commands.create(database, { commandId, deviceId, userId, payload, messageId });
    await commands.start(database, commandId, 1, "sending");
    return {
      messageId,
      to,
      content: payload,
      origin: { commandId },
      trace: null,
      ledger: commandLedger(database, deviceId, 1),
    };
  }
  const stateOf = async ({ origin }: { origin: { commandId: CommandId } }) =>
    (await commands.get(database, origin.commandId))?.state;
  const unresolved = async (outbox: Outbox) => (await outbox.listUnresolved()).map(({ messageId }) => messageId);
  const sentEvents = async ({ messageId }: Outgoing) =>
    (await events.listAfter(database, deviceId, 0, 1000)).filter(
      (event) => event.type === "message.sent" && event.data.messageId === messageId,
    );

  it("hands a message over once, however often it is asked to while no answer has come", async () => {
    const [outbox, message] = [open(), await newSend()];
    const [first, second] = await Promise.all([outbox.send(socket, message), outbox.send(socket, message)]);
    expect(relayed).toEqual([message.messageId]);
    await outbox.onAck(message.messageId, undefined);
    await Promise.all([first.finished, second.finished]);
    expect(await stateOf(message)).toBe("accepted");
    expect(await sentEvents(message)).toHaveLength(1);
  });

  it("ends a message whose file has expired before it could be encoded: nothing of it was ever sent", async () => {
    const [outbox, message] = [open(), await newSend()];
    const withoutFile = { ...socket, encode: () => Promise.reject(new MediaMissingError()) } as unknown as Socket;
    const { finished } = await outbox.send(withoutFile, message);
    await finished;
    const command = await commands.get(database, message.origin.commandId);
    expect(command).toMatchObject({ state: "failed", errorCode: "media_not_found" });
    expect(await unresolved(outbox)).not.toContain(message.messageId);
  });

  it("records an acknowledgement that came while the database was away, as soon as it is back", async () => {
    let isAway = true;
    const pool = new Proxy(database.pool, {
      get: (target, name) =>
        name === "getConnection" && isAway
          ? () => Promise.reject(new Error("away"))
          : (Reflect.get(target, name) as unknown),
    });
    const [outbox, message] = [open({ ...database, pool }), await newSend()];
    const { finished } = await outbox.send(socket, message);
    await outbox.onAck(message.messageId, undefined);
    expect(await stateOf(message)).toBe("sending");
    expect(await outbox.isUnresolved(message)).toBe(false);
    isAway = false;
    await finished;
    expect(await stateOf(message)).toBe("accepted");
  });

  it("calls the outcome unknown when the connection ends, and takes an answer that comes later", async () => {
    const [outbox, message] = [open(), await newSend()];
    const { finished } = await outbox.send(socket, message);
    await outbox.onConnectionLost();
    await finished;
    expect(await stateOf(message)).toBe("unknown");
    expect(await unresolved(outbox)).toContain(message.messageId);
    await outbox.onAck(message.messageId, undefined);
    expect(await stateOf(message)).toBe("accepted");
    expect(await unresolved(outbox)).not.toContain(message.messageId);
  });

  it("gives a group our key again when a message to it may be lost, before anything else is sent there", async () => {
    const again = { "sender-key-memory": { [GROUP]: null } };
    const [outbox, message] = [open(), await newSend(GROUP)];
    await outbox.send(socket, message);
    expect(written).toEqual([]);
    await outbox.onConnectionLost();
    expect(written).toEqual([again]);
    // And after a crash that left no time for that.
    await open().prepare();
    expect(written).toEqual([again, again]);
  });

  it("sends again what has no answer though the connection goes on", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const [outbox, message] = [open(), await newSend()];
      const { finished } = await outbox.send(socket, message);
      await vi.advanceTimersByTimeAsync(20_000);
      await finished;
      expect(await stateOf(message)).toBe("unknown");
      vi.advanceTimersByTime(30_000);
      vi.useRealTimers();
      await eventually("sent twice", 5_000, async () => relayed.length === 2);
      expect(new Set(relayed).size).toBe(1);
      await outbox.onAck(message.messageId, undefined);
      expect(await stateOf(message)).toBe("accepted");
      await outbox.onConnectionLost();
    } finally {
      vi.useRealTimers();
    }
  });

  it("takes a receipt for the acknowledgement that was not seen", async () => {
    const [outbox, message] = [open(), await newSend()];
    const { finished } = await outbox.send(socket, message);
    await outbox.recordReceipt({
      chat: FRIEND,
      participant: null,
      messageIds: [message.messageId],
      status: "delivered",
    });
    await finished;
    expect(await stateOf(message)).toBe("delivered");
    expect(await sentEvents(message)).toHaveLength(1);
  });

  it("sends the same bytes again after a crash, and says with which code a message was refused", async () => {
    const message = await newSend();
    await open().send(socket, message);
    const before = kept.get(message.messageId)?.bytes;
    const outbox = open();
    const { finished } = await outbox.send(socket, message);
    expect(kept.get(message.messageId)?.bytes).toEqual(before);
    await outbox.onAck(message.messageId, refusalOf("499"));
    await finished;
    const command = await commands.get(database, message.origin.commandId);
    expect(command).toMatchObject({ state: "failed", errorCode: "refused_by_whatsapp", errorDetail: "499" });
    expect(await sentEvents(message)).toEqual([]);
  });
});
