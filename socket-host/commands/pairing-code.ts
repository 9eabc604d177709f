import type { CommandPayload } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import type { Outcome } from "../../shared/db/commands.ts";
import { STORED } from "../consumer.ts";
import type { Execution } from "../consumer.ts";
import type { CommandContext } from "./context.ts";

/** As long as Baileys goes on showing QR codes on the same connection: one of 60 s and five of 20 s. */
const VALID_SECONDS = 160;
const ALREADY_LINKED = { state: "failed", errorCode: "already_registered" } as const;
/** A connection that ends while it is asked is opened again; so often is it worth it. */
const MAX_TRIES = 3;

/** Opens a device that is not linked, and answers a code that its owner types on the phone in place of scanning a QR. */
export async function pairingCode(
  context: CommandContext,
  { phone }: Extract<CommandPayload, { kind: "pairing-code" }>,
): Promise<Execution> {
  const { database, device, command } = context;
  if (!(await commands.start(database, command.commandId, device.epoch, "running"))) return STORED;
  if (await device.isLinked()) {
    await commands.finish(database.pool, command.commandId, device.epoch, ALREADY_LINKED);
    return STORED;
  }
  return { finished: askAndRecord(context, phone) };
}

async function askAndRecord(context: CommandContext, phone: string): Promise<"stored" | "kept"> {
  const { database, device, command, log } = context;
  try {
    const outcome = await ask(context, phone);
    if (outcome === "gone") return "kept";
    await commands.finish(database.pool, command.commandId, device.epoch, outcome);
    return "stored";
  } catch (err) {
    log.error({ err, commandId: command.commandId }, "outcome of a pairing code not recorded");
    return "kept";
  }
}

async function ask({ device, log }: CommandContext, phone: string): Promise<Outcome | "gone"> {
  for (let tries = 1; ; tries++) {
    const milestone = await device.connect("urgent");
    if (milestone.reached === "gone") return "gone";
    if (milestone.reached === "connected") return ALREADY_LINKED;
    if (milestone.reached === "stopped") {
      return { state: "failed", errorCode: "not_connected", errorDetail: milestone.reason };
    }
    try {
      const code = await device.pairingCode(phone);
      if (code) return { state: "done", result: { pairingCode: code, expiresIn: VALID_SECONDS } };
    } catch (err) {
      log.warn({ err }, "pairing code not asked for");
    }
    if (tries === MAX_TRIES) return { state: "failed", errorCode: "not_connected", errorDetail: "connection_closed" };
  }
}
