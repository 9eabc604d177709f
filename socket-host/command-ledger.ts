import { isSending } from "../shared/commands.ts";
import * as commands from "../shared/db/commands.ts";
import type { Command } from "../shared/db/commands.ts";
import type { Database } from "../shared/db/pool.ts";
import type { CommandId, DeviceId } from "../shared/ids.ts";
import type { Outgoing, SendBook, SendLedger, Sent } from "./send-ledger.ts";

function idOf({ origin }: Pick<Sent, "origin">): CommandId {
  if (!("commandId" in origin)) throw new Error("a message of another ledger");
  return origin.commandId;
}

/** The commands of all devices, as rows that ask for a message each. */
export const commandBook: SendBook = {
  async find(runner, wanted) {
    const found = await commands.listByMessageId(runner, wanted);
    return found.flatMap((command) => toSent(command) ?? []);
  },
  async accept(runner, messages, at) {
    const accepted = messages.map((message) => {
      const { deviceId, messageId, to } = message;
      return { commandId: idOf(message), result: { deviceId, messageId, timestamp: at.toISOString(), to } };
    });
    await commands.acceptHeld(runner, accepted);
  },
  async refuse(runner, message, refusal) {
    await commands.finish(runner, idOf(message), message.epoch, { state: "failed", ...refusal });
  },
  async markReceived(runner, told) {
    const states = await commands.statesOf(
      runner,
      told.map(({ row }) => idOf(row)),
    );
    const before = new Map(states);
    const news = told.filter(({ row, reached }) => {
      const commandId = idOf(row);
      const state = states.get(commandId);
      const isNews = state === "accepted" || (state === "delivered" && reached === "read");
      if (isNews) states.set(commandId, reached);
      return isNews;
    });
    for (const reached of ["delivered", "read"] as const) {
      const changed = [...states].filter(([commandId, state]) => state === reached && before.get(commandId) !== state);
      await commands.setReachedHeld(
        runner,
        changed.map(([commandId]) => commandId),
        reached,
      );
    }
    return news;
  },
};

/** The commands of one device as a ledger of what is sent. */
export function commandLedger(database: Database, deviceId: DeviceId, epoch: number): SendLedger {
  const ledger: SendLedger = {
    book: commandBook,
    async listUnresolved() {
      const open = await commands.listOpenMessages(database, deviceId);
      return open.flatMap((command) => toOutgoing(command, ledger) ?? []);
    },
    start: (message) => commands.start(database, idOf(message), epoch, "sending"),
    async markUnknown(message) {
      await commands.markUnknown(database, idOf(message), epoch);
    },
    abandon: () => commands.abandonMessages(database, deviceId, epoch),
  };
  return ledger;
}

/** The message of a command; undefined when it sends nothing or is finished. */
export function toOutgoing(
  { commandId, messageId, payload, trace }: Command,
  ledger: SendLedger,
): Outgoing | undefined {
  if (!messageId || !payload || !isSending(payload)) return undefined;
  return { messageId, to: payload.to, content: payload, origin: { commandId }, trace, ledger };
}

function toSent({
  commandId,
  deviceId,
  messageId,
  payload,
  trace,
}: Command): (Sent & { deviceId: DeviceId }) | undefined {
  return messageId
    ? { deviceId, messageId, to: payload && isSending(payload) ? payload.to : null, origin: { commandId }, trace }
    : undefined;
}
