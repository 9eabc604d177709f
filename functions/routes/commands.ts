import * as z from "zod";
import * as commands from "../../shared/db/commands.ts";
import { errors } from "../../shared/errors.ts";
import type { CommandId } from "../../shared/ids.ts";
import { readResult } from "../../shared/results.ts";
import { coversScopes } from "../../shared/scopes.ts";
import { failureCode } from "../command-failure.ts";
import { ownRow } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { commandStatus } from "../schemas/command.ts";

const isoTime = z.iso.datetime();

const commandView = z
  .object({
    commandId: z.string(),
    deviceId: z.string(),
    kind: z.string(),
    status: commandStatus,
    messageId: z.string().optional(),
    result: z.record(z.string(), z.unknown()).optional().meta({
      description: "What a finished command has to tell. An answer with the content of messages is kept for a day.",
    }),
    error: z
      .object({ code: z.string(), message: z.string() })
      .optional()
      .meta({ description: "Of a command that failed: a code of the table of errors, and why." }),
    createdAt: isoTime,
    startedAt: isoTime.nullable(),
    finishedAt: isoTime.nullable(),
  })
  .meta({ id: "Command" });

const getCommand = route({
  name: "getCommand",
  method: "get",
  path: "/api/whatsapp-multi-device/commands/:commandId",
  tag: "Commands",
  scope: "any",
  polled: true,
  summary: "What became of a command",
  description:
    "Every token may ask for the commands of its devices; `result` needs the scope `messages:read`, since it can hold messages. Can be asked after its device was removed, too. The content of a command is not kept once it is finished.",
  params: z.object({
    commandId: z
      .string()
      .regex(/^\w{1,40}$/)
      .transform((value) => value as CommandId),
  }),
  answers: {
    200: answer({ id: "Status perintah", en: "The command" }, commandView, {
      commandId: "cmd_019aa1b2c3d4e5f60718293a4b",
      deviceId: "device-001",
      kind: "send-text",
      status: "delivered",
      messageId: "3EB0A1B2C3D4E5F6071829",
      result: {},
      createdAt: "2026-11-22T04:30:00.000Z",
      startedAt: "2026-11-22T04:30:00.020Z",
      finishedAt: "2026-11-22T04:30:00.123Z",
    }),
  },
  errors: ["command_not_found"],
  async handle({ params }, call) {
    const { services, language } = call;
    const found = await commands.get(services.database, params.commandId);
    const command = await ownRow(call, found, "command_not_found");
    const mayRead = coversScopes(call.caller.scopes, ["messages:read"]);
    const result = mayRead ? await readResult(services.media, command.result) : undefined;
    const code = failureCode(command.errorCode);
    const data = {
      commandId: command.commandId,
      deviceId: command.deviceId,
      kind: command.kind,
      status: command.state,
      ...(command.messageId !== null && { messageId: command.messageId }),
      ...(isObject(result) && { result }),
      ...(command.state === "failed" && { error: { code, message: command.errorDetail ?? errors[code][language] } }),
      createdAt: command.createdAt.toISOString(),
      startedAt: command.startedAt?.toISOString() ?? null,
      finishedAt: command.finishedAt?.toISOString() ?? null,
    };
    return { status: 200, data };
  },
});

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

export const commandRoutes: Route[] = [getCommand];
