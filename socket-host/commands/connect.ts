import type { CommandPayload } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import { STORED } from "../consumer.ts";
import type { Execution } from "../consumer.ts";
import type { LoginEntry } from "../login-budget.ts";
import type { CommandContext } from "./context.ts";

/** Opens the device. Done when it is connected or shows a QR: its row has both. The next command may begin at once. */
export async function connect(
  context: CommandContext,
  { isInLine }: Extract<CommandPayload, { kind: "connect" }>,
): Promise<Execution> {
  const { database, device, command } = context;
  const isOurs = await commands.start(database, command.commandId, device.epoch, "running");
  return isOurs ? { finished: openAndRecord(context, isInLine ? "in line" : "urgent") } : STORED;
}

async function openAndRecord(
  { database, device, command, log }: CommandContext,
  entry: LoginEntry,
): Promise<"stored" | "kept"> {
  const { commandId } = command;
  try {
    const milestone = await device.connect(entry);
    if (milestone.reached === "gone") return "kept";
    const outcome =
      milestone.reached === "stopped"
        ? ({ state: "failed", errorCode: "not_connected", errorDetail: milestone.reason } as const)
        : ({ state: "done", result: { deviceId: device.deviceId, reached: milestone.reached } } as const);
    await commands.finish(database.pool, commandId, device.epoch, outcome);
    return "stored";
  } catch (err) {
    log.error({ err, commandId }, "outcome of connect not recorded");
    return "kept";
  }
}
