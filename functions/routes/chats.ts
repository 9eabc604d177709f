import * as z from "zod";
import { chatHistory, contactList, dailyChats } from "../../shared/chats.ts";
import type { ChatHistory } from "../../shared/chats.ts";
import type { ReadingPayload } from "../../shared/commands.ts";
import { localTime } from "../local-time.ts";
import { readByHost } from "../read-by-host.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { pendingAnswer } from "../schemas/command.ts";
import { deviceParams } from "../schemas/device.ts";
import { groupId } from "../schemas/group-id.ts";
import { recipient } from "../schemas/recipient.ts";

const DEVICE = "/api/whatsapp-multi-device/devices/:deviceId";
const tag = "Chats";
const scope = "messages:read";
/** Longer than a phone needs that answers at all. */
const MAX_WAIT_SECONDS = 60;
const MAX_MESSAGES = 100;
const MAX_CONTACTS = 1_000;

const historyQuery = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_MESSAGES).default(50),
  before: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .meta({ description: "The `id` of a message of this chat: only what came before it." }),
  source: z.enum(["auto", "server", "store"]).default("auto").meta({
    description:
      "`store`: what the device keeps. `server`: asks the phone for what it has. `auto`: asks the phone only when the store has fewer messages than `limit`. A phone that is not reached or does not answer in time is made up for by the store; `data.source` says which it was.",
  }),
  waitSeconds: z.coerce.number().int().min(0).max(MAX_WAIT_SECONDS).default(10).meta({
    description: "How long the phone may take, and a history that it gives because the device has just been linked.",
  }),
});

const example: ChatHistory = {
  deviceId: "device-001",
  jid: "6289876543210@s.whatsapp.net",
  phoneNumber: "6289876543210",
  lid: "100000000000123",
  name: "Budi",
  source: "store",
  messages: [
    {
      id: "3AF0C1D2E3F405162738",
      from: "6289876543210@s.whatsapp.net",
      fromMe: false,
      senderName: "Budi",
      messageType: "text",
      content: "Halo juga",
      details: { messageType: "text", text: "Halo juga" },
      timestamp: 1_795_321_800_000,
      status: "received",
    },
  ],
  hasMore: true,
};

const HISTORY =
  "Newest first; with `before` set to the last `id` of an answer, the next one goes on without gaps or repeats. Needs no connection, except to ask the phone. Somebody may be named by number, JID or LID: it is one chat. 202 when it takes longer than `SYNC_WAIT_MS`.";

const HISTORY_ANSWERS = {
  200: answer({ id: "Riwayat chat berhasil diambil", en: "The chat history" }, chatHistory, example),
  202: pendingAnswer,
};
const HISTORY_ERRORS = ["device_not_found", "message_not_found"] as const;

const toReading = (chat: string, { waitSeconds, ...query }: z.infer<typeof historyQuery>): ReadingPayload => ({
  kind: "read-chat",
  chat,
  limit: query.limit,
  source: query.source,
  waitMs: waitSeconds * 1000,
  ...(query.before !== undefined && { before: query.before }),
});

const getChatHistory = (regions: readonly string[] | undefined) =>
  route({
    name: "getChatHistory",
    method: "get",
    path: `${DEVICE}/chat-history/:jid`,
    tag,
    scope,
    summary: "Messages of a chat",
    description: HISTORY,
    params: deviceParams.extend({ jid: recipient(regions) }),
    query: historyQuery,
    answers: HISTORY_ANSWERS,
    errors: [...HISTORY_ERRORS, "invalid_phone"],
    handle: ({ params, query }, call) => readByHost(call, params.deviceId, toReading(params.jid, query), chatHistory),
  });

const getGroupChatHistory = route({
  name: "getGroupChatHistory",
  method: "get",
  path: `${DEVICE}/group-chat-history/:groupId`,
  tag,
  scope,
  summary: "Messages of a group",
  description: HISTORY,
  params: deviceParams.extend({ groupId }),
  query: historyQuery,
  answers: HISTORY_ANSWERS,
  errors: HISTORY_ERRORS,
  handle: ({ params, query }, call) => readByHost(call, params.deviceId, toReading(params.groupId, query), chatHistory),
});

const flag = z.stringbool().default(false).meta({ type: "boolean", default: false });

const getDailyChats = route({
  name: "getDailyChatList",
  method: "get",
  path: `${DEVICE}/daily-chat-list`,
  tag,
  scope,
  summary: "Who was written with on a day",
  description:
    "A day of the installation's `APP_TIMEZONE`, as the device's chat store has it: from when the device was linked on, and as far back as the phone gave its history. Needs no connection.",
  params: deviceParams,
  query: z.object({
    date: z.iso.date().meta({ examples: ["2026-11-22"] }),
    includeGroups: flag,
    limit: z.coerce.number().int().min(1).max(MAX_CONTACTS).default(100),
    offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
  }),
  answers: {
    200: answer({ id: "Daftar chat harian berhasil diambil", en: "The chats of the day" }, dailyChats, {
      contacts: [
        {
          jid: "6289876543210@s.whatsapp.net",
          name: "Budi",
          phoneNumber: "6289876543210",
          isGroup: false,
          messageCount: 3,
          incomingMessages: 2,
          outgoingMessages: 1,
          unreadMessages: 0,
          lastActivity: "2026-11-22T04:30:00.000Z",
          responseRate: 50,
        },
      ],
      summary: {
        date: "2026-11-22",
        totalContacts: 1,
        individualContacts: 1,
        groupContacts: 0,
        totalMessages: 3,
        totalIncomingMessages: 2,
        totalOutgoingMessages: 1,
        totalUnreadMessages: 0,
        averageResponseRate: 50,
      },
      pagination: { total: 1, limit: 100, offset: 0, hasMore: false },
    }),
    202: pendingAnswer,
  },
  errors: ["device_not_found"],
  async handle({ params, query }, call) {
    const day = localTime(call.services.config.timeZone).day(query.date);
    const times = { from: day.from.getTime(), to: day.to.getTime() };
    return await readByHost(call, params.deviceId, { kind: "daily-chats", ...query, ...times }, dailyChats);
  },
});

const getContacts = route({
  name: "listContacts",
  method: "get",
  path: `${DEVICE}/contacts`,
  tag,
  scope,
  summary: "Contacts of a device",
  description:
    "Everybody whose name WhatsApp has told: from the address book of the account, and from messages. At most 5,000, by name. Needs no connection.",
  params: deviceParams,
  answers: {
    200: answer({ id: "Daftar kontak berhasil diambil", en: "The contacts" }, contactList, {
      contacts: [{ id: "6289876543210@s.whatsapp.net", name: "Budi Santoso", notify: "Budi", verifiedName: null }],
      total: 1,
    }),
    202: pendingAnswer,
  },
  errors: ["device_not_found"],
  handle: ({ params }, call) => readByHost(call, params.deviceId, { kind: "list-contacts" }, contactList),
});

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export const chatRoutes = (regions: readonly string[] | undefined): Route[] => [
  getChatHistory(regions),
  getGroupChatHistory,
  getDailyChats,
  getContacts,
];
