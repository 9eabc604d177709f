import * as commands from "../../shared/db/commands.ts";
import { keepResult } from "../../shared/results.ts";
import { STORED } from "../consumer.ts";
import type { Execution } from "../consumer.ts";
import type { DeviceChats } from "../device-chats.ts";
import type { CommandContext } from "./context.ts";

/** What reading came to: the answer, or the code of the table of errors that says why there is none. */
export type Reading = { answer: object } | { errorCode: string; errorDetail?: string };

/**
 * Runs a command that only reads the device's chats. It waits for nothing that the device's other commands do, and needs
 * no connection. Run again after a crash it reads again.
 */
export async function readChats(
  context: CommandContext,
  read: (chats: DeviceChats) => Promise<Reading>,
): Promise<Execution> {
  const { database, device, command } = context;
  const isOurs = await commands.start(database, command.commandId, device.epoch, "running");
  return isOurs ? { finished: readAndRecord(context, read) } : STORED;
}

async function readAndRecord(
  { database, media, device, command, log }: CommandContext,
  read: (chats: DeviceChats) => Promise<Reading>,
): Promise<"stored" | "kept"> {
  const { commandId } = command;
  try {
    const chats = await device.chats();
    if (chats === "gone") return "kept";
    const reading = chats === "unreadable" ? { errorCode: "internal" } : await read(chats);
    const outcome =
      "answer" in reading
        ? ({ state: "done", result: await keepResult(media, commandId, reading.answer) } as const)
        : ({ state: "failed", ...reading } as const);
    await commands.finish(database.pool, commandId, device.epoch, outcome);
    return "stored";
  } catch (err) {
    log.error({ err, commandId }, "chats not read");
    return "kept";
  }
}
