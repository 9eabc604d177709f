import * as z from "zod";
import { ALLOWANCES } from "../../shared/db/allowed-numbers.ts";
import * as chatbots from "../../shared/db/chatbots.ts";
import type { Chatbot } from "../../shared/db/chatbots.ts";
import { ApiError } from "../../shared/errors.ts";
import { newWebhookId } from "../../shared/ids.ts";
import type { UserId, WebhookId } from "../../shared/ids.ts";
import { seal } from "../../shared/sealed.ts";
import { newWebhookSecret } from "../../shared/webhook-secret.ts";
import { findReplay, idempotency, IDEMPOTENCY_REPLAYED, idempotencyKey } from "../idempotency.ts";
import { ownSession } from "../own-session.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { pageQuery, pagination, toPagination } from "../schemas/page.ts";
import { whatsappNumber } from "../schemas/party.ts";
import { publicUrl } from "../schemas/public-url.ts";
import { rowId } from "../schemas/row-id.ts";
import { sessionId } from "../schemas/session.ts";
import { secretExample } from "../schemas/webhook.ts";

const BASE = "/api/whatsapp/chatbots";
const tag = "Chatbots";
const scope = "data:write";
const params = z.object({ id: rowId });
const status = z.enum(ALLOWANCES);

const view = z
  .object({
    id: z.int(),
    sender_number: z.string().meta({ description: "Whose messages are answered." }),
    whatsapp_number: z.string().meta({ description: "The number that they write to." }),
    session_id: z.int(),
    status,
    endpoint_url: z.string().nullable().meta({ description: "Of the number; null: the chatbot of this installation." }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "Chatbot" });
const example: z.input<typeof view> = {
  id: 1,
  sender_number: "6289876543210",
  whatsapp_number: "6281234567890",
  session_id: 1,
  status: "aktif",
  endpoint_url: "https://bot.example.com/answer",
  created_at: "2026-11-22T03:00:00.000Z",
  updated_at: "2026-11-22T03:00:00.000Z",
};
const toView = (chatbot: Chatbot): z.input<typeof view> => ({
  id: chatbot.chatbotId,
  sender_number: chatbot.senderNumber,
  whatsapp_number: chatbot.whatsappNumber,
  session_id: chatbot.sessionId,
  status: chatbot.status,
  endpoint_url: chatbot.endpointUrl,
  created_at: chatbot.createdAt.toISOString(),
  updated_at: chatbot.updatedAt.toISOString(),
});

async function ownChatbot({ services, caller }: Call, id: number): Promise<Chatbot> {
  const chatbot = await chatbots.get(services.database, caller, id);
  if (!chatbot) throw new ApiError("chatbot_not_found");
  return chatbot;
}

/** What answers for a user's number, made if there is none. */
async function ensureEndpoint(
  { services: { database, config } }: Call,
  userId: UserId,
  number: string,
): Promise<{ webhookId: WebhookId; url: string | null }> {
  const found = await chatbots.findEndpoint(database, userId, number);
  if (found) return found;
  const webhookId = newWebhookId();
  const secret = seal(newWebhookSecret(), config.webhookKey, webhookId);
  const isNew = await chatbots.createEndpoint(database, { webhookId, userId, whatsappNumber: number, secret });
  if (isNew) return { webhookId, url: null };
  const other = await chatbots.findEndpoint(database, userId, number);
  if (!other) throw new Error("the endpoint of a number has vanished");
  return other;
}

const listChatbots = (regions: readonly string[] | undefined) =>
  route({
    name: "listChatbots",
    method: "get",
    path: BASE,
    tag,
    scope: "data:read",
    summary: "List whose messages are answered by a chatbot",
    description: "Oldest first, with those that are switched off. `whatsapp_number` is a number of one's own.",
    query: z.object({ whatsapp_number: whatsappNumber(regions).optional(), ...pageQuery }),
    answers: {
      200: answer({ id: "Daftar chatbot", en: "The chatbots" }, z.object({ chatbots: z.array(view), pagination }), {
        chatbots: [example],
        pagination: { page: 1, pageSize: 10, total: 1, totalPages: 1 },
      }),
    },
    errors: ["invalid_phone"],
    async handle({ query }, { services, caller }) {
      const { page, pageSize } = query;
      const part = { limit: pageSize, offset: (page - 1) * pageSize };
      const found = await chatbots.list(services.database, caller, query.whatsapp_number, part);
      const list = { chatbots: found.chatbots.map(toView) };
      return { status: 200, data: { ...list, pagination: toPagination(page, pageSize, found.total) } };
    },
  });

const addChatbot = (regions: readonly string[] | undefined) =>
  route({
    name: "addChatbot",
    method: "post",
    path: BASE,
    tag,
    scope,
    summary: "Have the messages of a number answered by a chatbot",
    description:
      'While it is `aktif`, each message that this number sends to the session\'s number, in a chat of the two, is posted to the endpoint of the session\'s number, signed like a webhook. A JSON answer `{"reply": …}` within 15 seconds is sent back: a text, `{"type": "text", "text"}` or a file, `{"type": "image", "url", "caption"?, "fileName"?}` (or another type of file that can be sent), or a list of up to ten of these.',
    headers: z.object({ "idempotency-key": idempotencyKey.optional() }),
    body: z.object({ sender_number: whatsappNumber(regions), status: status.default("aktif"), session_id: sessionId }),
    bodyExample: { sender_number: "6289876543210", status: "aktif", session_id: 1 },
    answers: { 201: answer({ id: "Chatbot berhasil ditambahkan", en: "The chatbot was added" }, view, example) },
    audit: { action: "chatbot.add", target: "id" },
    errors: ["session_not_found", "chatbot_exists", "invalid_phone", "idempotency_mismatch"],
    async handle({ headers, body }, call) {
      const { database } = call.services;
      const once = idempotency(headers["idempotency-key"], call);
      const find = (key: string) => chatbots.find(database, { key });
      const replayed = (chatbot: Chatbot) =>
        ({ status: 201, data: toView(chatbot), headers: IDEMPOTENCY_REPLAYED }) as const;
      const replay = await findReplay(once, find);
      if (replay) return replayed(replay);
      const session = await ownSession(call, body.session_id);
      await ensureEndpoint(call, session.userId, session.whatsappNumber);
      const chatbot = { session, senderNumber: body.sender_number, status: body.status };
      if (!(await chatbots.create(database, { ...chatbot, ...(once && { idempotency: once }) }))) {
        const other = await findReplay(once, find);
        if (other) return replayed(other);
        throw new ApiError("chatbot_exists");
      }
      const made = await chatbots.find(database, { sessionId: session.sessionId, senderNumber: body.sender_number });
      if (!made) throw new ApiError("chatbot_not_found");
      return { status: 201, data: toView(made) };
    },
  });

const changeChatbot = route({
  name: "setChatbotStatus",
  method: "put",
  path: `${BASE}/:id/status`,
  tag,
  scope,
  summary: "Switch a chatbot on or off",
  description: "From the next message on.",
  params,
  body: z.object({ status }),
  bodyExample: { status: "nonaktif" },
  answers: {
    200: answer({ id: "Status berhasil diubah", en: "The status was changed" }, view, {
      ...example,
      status: "nonaktif",
    }),
  },
  audit: { action: "chatbot.status", target: "id" },
  errors: ["chatbot_not_found"],
  async handle({ params: { id }, body }, call) {
    const { chatbotId } = await ownChatbot(call, id);
    await chatbots.setStatus(call.services.database, chatbotId, body.status);
    return { status: 200, data: toView(await ownChatbot(call, id)) };
  },
});

const removeChatbot = route({
  name: "removeChatbot",
  method: "delete",
  path: `${BASE}/:id`,
  tag,
  scope,
  summary: "Remove a chatbot",
  description: "From the next message on nothing answers that number.",
  params,
  answers: {
    200: answer({ id: "Chatbot berhasil dihapus", en: "The chatbot was removed" }, z.object({ id: z.int() }), {
      id: 1,
    }),
  },
  audit: { action: "chatbot.remove", target: "id" },
  errors: ["chatbot_not_found"],
  async handle({ params: { id } }, call) {
    const { chatbotId } = await ownChatbot(call, id);
    await chatbots.remove(call.services.database, chatbotId);
    return { status: 200, data: { id: chatbotId } };
  },
});

const endpointView = z.object({
  whatsapp_number: z.string(),
  endpoint_url: z.string().nullable(),
  secret: z.string().nullable().meta({ description: "What requests are signed with, if it is a new one; else null." }),
});

const setEndpoint = (regions: readonly string[] | undefined) =>
  route({
    name: "setChatbotEndpoint",
    method: "put",
    path: `${BASE}/:whatsapp_number/endpoint`,
    tag,
    scope,
    summary: "Say what answers for a number",
    description:
      "For all chatbots of that number of one's own. `null`: the chatbot of this installation (`API_AIRABOT`). Another URL, or `rotate_secret`, gives a new secret, which is shown in this answer only.",
    params: z.object({ whatsapp_number: whatsappNumber(regions) }),
    body: z.object({ endpoint_url: publicUrl.nullable(), rotate_secret: z.boolean().default(false) }),
    bodyExample: { endpoint_url: "https://bot.example.com/answer" },
    answers: {
      200: answer({ id: "Endpoint berhasil diubah", en: "The endpoint was changed" }, endpointView, {
        whatsapp_number: example.whatsapp_number,
        endpoint_url: example.endpoint_url,
        secret: secretExample,
      }),
    },
    audit: { action: "chatbot.endpoint", target: "whatsapp_number" },
    errors: ["session_not_found", "url_not_allowed", "invalid_phone"],
    async handle({ params, body }, call) {
      const { database, config } = call.services;
      const number = params.whatsapp_number;
      const owners = await chatbots.listOwners(database, call.caller, number);
      if (!owners.length) throw new ApiError("session_not_found");
      // A number that was linked for several users has a row for each, and one secret.
      const secret = newWebhookSecret();
      const endpoints = await Promise.all(owners.map((userId) => ensureEndpoint(call, userId, number)));
      const isNew = body.rotate_secret || endpoints.some(({ url }) => url !== body.endpoint_url);
      for (const { webhookId } of endpoints) {
        const sealed = isNew ? seal(secret, config.webhookKey, webhookId) : undefined;
        await chatbots.setEndpoint(database, webhookId, body.endpoint_url, sealed);
      }
      const shown = isNew ? secret : null;
      return { status: 200, data: { whatsapp_number: number, endpoint_url: body.endpoint_url, secret: shown } };
    },
  });

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export const chatbotRoutes = (regions: readonly string[] | undefined): Route[] => [
  listChatbots(regions),
  addChatbot(regions),
  changeChatbot,
  removeChatbot,
  setEndpoint(regions),
];
