import { isSending } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import type { Connection } from "../connection.ts";
import { KEPT, STORED } from "../consumer.ts";
import type { Executed, Execution } from "../consumer.ts";
import type { Device } from "../device.ts";
import { recipientRefusal } from "../recipient-refusal.ts";
import type { Refusal } from "../refusal.ts";
import type { Outgoing } from "../send-ledger.ts";
import { commandLedger, toOutgoing } from "../command-ledger.ts";
import { prepare } from "../media/prepare.ts";
import type { CommandContext } from "./context.ts";

/** A device that is being opened, after a restart or a dropped connection, has so long to come up. */
const OPEN_WAIT_MS = 60_000;

/** See `sendAll`. */
export async function send(context: CommandContext): Promise<Execution> {
  const [sent] = await sendAll([context]);
  if (!sent || "error" in sent) throw sent?.error;
  return sent;
}

/**
 * Sends messages of one device, in their order. A recipient that cannot take one is found out before anything is sent. Only
 * after that check is a command `sending`, and from there on it is never given up: what has no outcome is sent again, under
 * the same id, at the next login.
 */
export async function sendAll(contexts: readonly CommandContext[]): Promise<Executed[]> {
  const begun = contexts.map((context) => begin(context));
  const sent: Executed[] = [];
  for (const [at, { device }] of contexts.entries()) {
    const one = await begun[at];
    if (!one) continue;
    if (!("message" in one)) sent.push(one);
    // A connection that is opened after this finds it begun, and sends it itself.
    else if (device.openConnection !== one.connection) sent.push(STORED);
    else sent.push(await handOver(device, one.message));
  }
  return sent;
}

/** `connection` is what was open when it was begun. */
type Begun = { message: Outgoing; connection: Connection | undefined };

async function begin(context: CommandContext): Promise<Begun | Executed> {
  try {
    const begun = await start(context);
    return "messageId" in begun ? { message: begun, connection: context.device.openConnection } : begun;
  } catch (error) {
    return { error };
  }
}

/** What is to be sent now; otherwise how the command ended. */
async function start(context: CommandContext): Promise<Outgoing | Execution> {
  const { database, device, command } = context;
  const { payload, commandId } = command;
  // Begun before, here or on a host that died: whether it arrived is for the login to find out, not for this message.
  if (command.state !== "queued" || !payload || !isSending(payload)) return STORED;
  const { to } = payload;
  const opened = await device.whenOpen(OPEN_WAIT_MS);
  if (opened === "gone") return KEPT;
  if (opened === "closed") return await fail(context, { errorCode: "not_connected" });
  const refusal = await recipientRefusal(device, to);
  if (refusal) return await fail(context, refusal);
  const unprepared = await prepare(device, payload);
  if (unprepared) return await fail(context, unprepared);
  const { deviceId, epoch } = device;
  const message = toOutgoing(command, commandLedger(database, deviceId, epoch));
  return message && (await context.start({ commandId, deviceId, epoch })) ? message : STORED;
}

async function handOver(device: Device, message: Outgoing): Promise<Executed> {
  try {
    const sent = await device.send(message);
    return sent ? { finished: sent.finished.then(() => "stored") } : STORED;
  } catch (error) {
    return { error };
  }
}

async function fail({ database, device, command }: CommandContext, refusal: Refusal): Promise<Execution> {
  await commands.finish(database.pool, command.commandId, device.epoch, { state: "failed", ...refusal });
  return STORED;
}
