import { isSending } from "../shared/commands.ts";
import * as commands from "../shared/db/commands.ts";
import type { Command } from "../shared/db/commands.ts";
import type { Database } from "../shared/db/pool.ts";
import type { DeviceId } from "../shared/ids.ts";
import type { Outgoing, SendLedger, Sent } from "./send-ledger.ts";

/** The commands of one device as a ledger of what is sent: a message each. */
export function commandLedger(database: Database, deviceId: DeviceId, epoch: number): SendLedger {
  const ledger: SendLedger = {
    async listUnresolved() {
      const open = await commands.listOpenMessages(database, deviceId);
      return open.flatMap((command) => toOutgoing(command, ledger) ?? []);
    },
    start: ({ origin }) => commands.start(database, origin.commandId, epoch, "sending"),
    async find(runner, messageIds) {
      const found = await commands.listByMessageId(runner, deviceId, messageIds);
      return found.flatMap((command) => toSent(command) ?? []);
    },
    async accept(runner, { messageId, to, origin }, at) {
      const result = { deviceId, messageId, timestamp: at.toISOString(), to };
      await commands.finish(runner, origin.commandId, epoch, { state: "accepted", result });
    },
    async refuse(runner, { origin }, refusal) {
      await commands.finish(runner, origin.commandId, epoch, { state: "failed", ...refusal });
    },
    async markUnknown({ origin }) {
      await commands.markUnknown(database, origin.commandId, epoch);
    },
    abandon: () => commands.abandonMessages(database, deviceId, epoch),
    markReceived: (runner, { origin }, status) => commands.markReceived(runner, origin.commandId, epoch, status),
  };
  return ledger;
}

/** The message of a command; undefined when it sends nothing or is finished. */
export function toOutgoing({ commandId, messageId, payload }: Command, ledger: SendLedger): Outgoing | undefined {
  if (!messageId || !payload || !isSending(payload)) return undefined;
  return { messageId, to: payload.to, content: payload, origin: { commandId }, ledger };
}

function toSent({ commandId, messageId, payload }: Command): Sent | undefined {
  return messageId
    ? { messageId, to: payload && isSending(payload) ? payload.to : null, origin: { commandId } }
    : undefined;
}
