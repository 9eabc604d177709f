import { randomBytes } from "node:crypto";
import { Hono } from "hono";
import * as z from "zod";
import type { Network } from "../network/network.ts";
import { findChat, type Chat } from "../phone/chat.ts";
import { messageOrder, toDraft } from "./drafts.ts";
import { ControlError } from "./errors.ts";
import { accountInPath, findAccount } from "./find-account.ts";
import { chatId, phoneNumber, readBody, readQuery } from "./input.ts";

const MAX_WAIT_SECONDS = 60;

const receipt = z.strictObject({
  chat: chatId,
  ids: z.array(z.string().min(1).max(100)).min(1).max(1_000),
  type: z.enum(["delivered", "read", "played"]),
});
const inboxQuery = z.object({
  after: z.coerce.number().int().min(0).default(0),
  wait: z.coerce.number().min(0).max(MAX_WAIT_SECONDS).default(0),
});
const pastText = z.strictObject({
  fromMe: z.boolean(),
  from: phoneNumber.optional(),
  text: z.string().min(1).max(65_536),
  timestamp: z.int().min(0).max(100_000_000_000),
  id: z.string().min(1).max(100).optional(),
});
const history = z.strictObject({
  conversations: z.array(z.strictObject({ with: chatId, messages: z.array(pastText).max(20_000) })).max(1_000),
});

/** `/phones/:phone/messages`, `/inbox`, `/receipts`, `/history`: what people write, get, and had written before. */
export function messageRoutes(network: Network): Hono {
  const app = new Hono();

  app.post("/:phone/messages", async (context) => {
    const account = accountInPath(network, context);
    const order = await readBody(context, messageOrder);
    const chat = chatOrThrow(network, order.to, account.profile.isNumberHidden ? "lid" : order.addressing);
    const draft = await toDraft(network, account, chat, order);
    const { viewOnce, ephemeralSeconds, copies } = order;
    const sent = await account.phone.send(chat, draft, { viewOnce, ephemeralSeconds, copies });
    switch (sent.outcome) {
      case "sent":
        return context.json({ id: sent.id });
      case "offline":
        throw new ControlError(409, "phone_offline", "this phone is not online");
      case "unknown-message":
        throw new ControlError(404, "message_unknown", "this phone knows no message with the id that is named");
      case "not-allowed":
        throw new ControlError(409, "not_allowed", "this person may not do that in this chat or with this message");
    }
  });
  app.get("/:phone/inbox", async (context) => {
    const account = accountInPath(network, context);
    const { after, wait } = readQuery(context, inboxQuery);
    return context.json(await account.phone.inbox.waitAfter(after, wait * 1_000, context.req.raw.signal));
  });
  app.post("/:phone/receipts", async (context) => {
    const account = accountInPath(network, context);
    const { chat, ids, type } = await readBody(context, receipt);
    account.phone.sendReceipt(chatOrThrow(network, chat), ids, type);
    return context.json({ ids });
  });
  app.post("/:phone/history", async (context) => {
    const account = accountInPath(network, context);
    const { conversations } = await readBody(context, history);
    const chats = conversations.map((conversation) => {
      const chat = chatOrThrow(network, conversation.with);
      const texts = conversation.messages.map(({ fromMe, from, text, timestamp, id = newId() }) => {
        const author = fromMe ? account : authorIn(network, chat, from);
        return { id, author: author.number, text, at: timestamp };
      });
      return { chat, texts };
    });
    for (const { chat, texts } of chats) account.phone.remember(chat, texts);
    return context.json({ messages: chats.reduce((sum, { texts }) => sum + texts.length, 0) });
  });
  return app;
}

function chatOrThrow(network: Network, name: string, addressing?: "pn" | "lid"): Chat {
  const chat = findChat(network, name, addressing);
  if (chat) return chat;
  throw name.includes("@")
    ? new ControlError(404, "group_unknown", `there is no group ${name}`)
    : new ControlError(404, "phone_unknown", `there is no phone ${name}: POST /phones creates one`);
}

function authorIn(network: Network, chat: Chat, from: string | undefined) {
  if (chat.kind === "person") return chat.with;
  if (from === undefined) throw new ControlError(400, "invalid", "from: in a group it must say who wrote");
  return findAccount(network, from);
}

function newId(): string {
  return `AC${randomBytes(15).toString("hex").toUpperCase()}`;
}
