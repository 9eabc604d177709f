import type { SendingPayload } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import { GROUP_SERVER, parseJid, phoneOfJid } from "../../shared/jid.ts";
import { KEPT, STORED } from "../consumer.ts";
import type { Execution } from "../consumer.ts";
import { groupRefusal } from "../group-refusal.ts";
import type { Refusal } from "../refusal.ts";
import { commandLedger, toOutgoing } from "../command-ledger.ts";
import type { CommandContext } from "./context.ts";

/** A device that is being opened, after a restart or a dropped connection, has so long to come up. */
const OPEN_WAIT_MS = 60_000;

/**
 * Sends a message. A number without WhatsApp is refused before anything is sent: WhatsApp itself would take such a message
 * and deliver it to nobody. So is a group that does not take it: a message that is refused takes the group's keys along.
 * Only after that check is the command `sending`, and from there on it is never given up: what has no outcome is sent
 * again, under the same id, at the next login.
 */
export async function send(context: CommandContext, { to }: SendingPayload): Promise<Execution> {
  const { database, device, command } = context;
  // Begun before, here or on a host that died: whether it arrived is for the login to find out, not for this message.
  if (command.state !== "queued") return STORED;
  const opened = await device.whenOpen(OPEN_WAIT_MS);
  if (opened === "gone") return KEPT;
  if (opened === "closed") return await fail(context, { errorCode: "not_connected" });
  const refusal = parseJid(to)?.server === GROUP_SERVER ? await groupRefuses(context, to) : undefined;
  if (refusal) return await fail(context, refusal);
  const phone = phoneOfJid(to);
  if (phone && !(await device.isOnWhatsApp(phone))) return await fail(context, { errorCode: "not_on_whatsapp" });
  const message = toOutgoing(command, commandLedger(database, device.deviceId, device.epoch));
  if (!message || !(await commands.start(database, command.commandId, device.epoch, "sending"))) return STORED;
  const sent = await device.send(message);
  return sent ? { finished: sent.finished.then(() => "stored") } : STORED;
}

/** Why nothing can be written to a group. Rejects when WhatsApp does not say. */
async function groupRefuses({ device }: CommandContext, group: string): Promise<Refusal | undefined> {
  const mayWrite = await device.openConnection?.socket.groups.mayWrite(group);
  if (mayWrite?.outcome === "refused") return groupRefusal(mayWrite.code);
  if (mayWrite?.outcome !== "done") throw new Error("the server did not answer who is in the group");
  return mayWrite.value ? undefined : { errorCode: "group_forbidden" };
}

async function fail({ database, device, command }: CommandContext, refusal: Refusal): Promise<Execution> {
  await commands.finish(database.pool, command.commandId, device.epoch, { state: "failed", ...refusal });
  return STORED;
}
