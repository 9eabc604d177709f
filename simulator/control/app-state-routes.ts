import { Hono } from "hono";
import type { ChatModification } from "@whiskeysockets/baileys";
import * as z from "zod";
import type { Network } from "../network/network.ts";
import { chatJid, findChat } from "../phone/chat.ts";
import { ControlError } from "./errors.ts";
import { accountInPath } from "./find-account.ts";
import { chatId, readBody } from "./input.ts";

const MAX_TIME_SECONDS = 100_000_000_000;
const labelId = z.string().min(1).max(20);
const name = z.string().min(1).max(100);

const KINDS = ["archive", "pin", "mute", "read", "contact", "addLabel", "removeLabel", "label"] as const;

const change = z
  .strictObject({
    chat: chatId.optional(),
    addressing: z.enum(["pn", "lid"]).default("pn"),
    archive: z.boolean().optional(),
    pin: z.boolean().optional(),
    mute: z.int().positive().max(MAX_TIME_SECONDS).nullable().optional(),
    read: z.boolean().optional(),
    contact: z.strictObject({ name, firstName: name.optional() }).nullable().optional(),
    addLabel: labelId.optional(),
    removeLabel: labelId.optional(),
    label: z
      .strictObject({
        id: labelId,
        name,
        color: z.int().min(0).max(19).default(0),
        deleted: z.boolean().default(false),
      })
      .optional(),
  })
  .superRefine((body, context) => {
    const given = KINDS.filter((kind) => body[kind] !== undefined);
    if (given.length !== 1) {
      context.addIssue({ code: "custom", path: ["body"], message: `must have exactly one of ${KINDS.join(", ")}` });
    } else if ((body.chat === undefined) !== (given[0] === "label")) {
      context.addIssue({ code: "custom", path: ["chat"], message: "must be there, but for label" });
    }
  });

/** `/phones/:phone/app-state`: what a person does on the phone to chats, contacts and labels, and what all devices know of it. */
export function appStateRoutes(network: Network): Hono {
  const app = new Hono();
  app.get("/:phone/app-state", async (context) => {
    return context.json(await readable(accountInPath(network, context).phone.appState.read()));
  });
  app.post("/:phone/app-state", async (context) => {
    const account = accountInPath(network, context);
    const { chat: chatName, addressing, ...body } = await readBody(context, change);
    if (!account.phone.settings.online) throw new ControlError(409, "phone_offline", "this phone is not online");
    const chat = chatName === undefined ? undefined : findChat(network, chatName, addressing);
    if (chatName !== undefined && !chat) throw new ControlError(404, "chat_unknown", `there is no ${chatName}`);
    await readable(account.phone.appState.change(modificationOf(body), chat ? chatJid(chat) : ""));
    return context.json({});
  });
  return app;
}

/** As Baileys' `chatModify` takes it; its times are in milliseconds. */
function modificationOf(body: Omit<z.output<typeof change>, "chat" | "addressing">): ChatModification {
  const { archive, pin, mute, read, contact, addLabel, removeLabel, label } = body;
  if (archive !== undefined) return { archive, lastMessages: [] };
  if (pin !== undefined) return { pin };
  if (mute !== undefined) return { mute: mute === null ? null : mute * 1_000 };
  if (read !== undefined) return { markRead: read, lastMessages: [] };
  if (addLabel !== undefined) return { addChatLabel: { labelId: addLabel } };
  if (removeLabel !== undefined) return { removeChatLabel: { labelId: removeLabel } };
  if (label) return { addLabel: label };
  return { contact: contact ? { fullName: contact.name, firstName: contact.firstName ?? null } : null };
}

async function readable<T>(work: Promise<T>): Promise<T> {
  return work.catch(() => {
    throw new ControlError(409, "app_state_unreadable", "a linked device wrote what the phone's key does not open");
  });
}
