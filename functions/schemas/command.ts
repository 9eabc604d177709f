import * as z from "zod";
import { COMMAND_STATES } from "../../shared/commands.ts";
import type { Command } from "../../shared/db/commands.ts";
import { answer } from "../route.ts";

export const commandStatus = z.enum(COMMAND_STATES).meta({
  description:
    "A message goes queued → sending → accepted (WhatsApp's server has it) → delivered → read, or failed; unknown: it was sent, no answer came, and it is sent again under the same id. Other commands go queued → running → done, or failed.",
});

/** The `data` of every 202: where to ask what became of it. */
export const pendingCommand = z
  .object({
    commandId: z
      .string()
      .meta({ description: "`GET /api/whatsapp-multi-device/commands/{commandId}` tells the rest." }),
    deviceId: z.string(),
    messageId: z
      .string()
      .optional()
      .meta({ description: "Of a message: the id that it has, or will have, on WhatsApp." }),
    status: commandStatus,
  })
  .meta({ id: "PendingCommand" });

export const toPendingCommand = (command: Command): z.input<typeof pendingCommand> => ({
  commandId: command.commandId,
  deviceId: command.deviceId,
  ...(command.messageId !== null && { messageId: command.messageId }),
  status: command.state,
});

export const pendingAnswer = answer(
  {
    id: "Perintah diterima dan sedang diproses",
    en: "The command was accepted and is being carried out",
  },
  pendingCommand,
  { commandId: "cmd_019aa1b2c3d4e5f60718293a4b", deviceId: "device-001", status: "queued" },
);
