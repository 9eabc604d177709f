/**
 * Answers about chats, as a host gives them and a client reads them. They hold what people wrote, so they go by
 * `shared/results.ts` and never into the database.
 */
import * as z from "zod";
import { messageContent } from "./message.ts";

const time = z.int().meta({ description: "Milliseconds since 1970." });
const jid = z.string().meta({ description: "The phone number's address where it is known, else the LID's." });
const phoneNumber = z.string().nullable().meta({ description: "Null where WhatsApp has not told it, and of a group." });
const count = z.int().min(0);

export const chatMessage = z
  .object({
    id: z.string(),
    from: z.string().meta({ description: "The chat; of an own message, the account itself." }),
    fromMe: z.boolean(),
    participant: z.string().optional().meta({ description: "In a group: who wrote it." }),
    senderName: z.string().nullable().meta({ description: "As the sender calls themselves." }),
    messageType: z
      .string()
      .meta({ description: "As in `details`; `deleted` of a message that was deleted for everyone." }),
    content: z.string().nullable().meta({
      description: "What there is to read: the text, the caption, the question of a poll. Null where nothing is.",
    }),
    details: messageContent.nullable().meta({ description: "All of it, as in events. Null when it was deleted." }),
    timestamp: time,
    status: z.enum(["pending", "failed", "sent", "delivered", "read", "received"]).meta({
      description: "Of an own message, how far it got; `received` of all others.",
    }),
    editedAt: time.optional(),
    reactions: z
      .array(z.object({ emoji: z.string(), from: z.string() }))
      .optional()
      .meta({ description: "Each with who reacted." }),
  })
  .meta({ id: "ChatMessage" });
export type ChatMessageView = z.infer<typeof chatMessage>;

export const chatHistory = z
  .object({
    deviceId: z.string(),
    jid,
    phoneNumber,
    lid: z.string().nullable(),
    name: z.string().nullable(),
    source: z.enum(["server", "store"]).meta({
      description: "`server`: the phone was asked for messages and answered. `store`: only what the device keeps.",
    }),
    messages: z.array(chatMessage).meta({ description: "Newest first." }),
    hasMore: z.boolean().meta({ description: "Ask again with `before` set to the `id` of the last message here." }),
  })
  .meta({ id: "ChatHistory" });
export type ChatHistory = z.infer<typeof chatHistory>;

const rate = z.number().min(0).max(100);
const dailyContact = z
  .object({
    jid,
    name: z.string().nullable(),
    phoneNumber,
    isGroup: z.boolean(),
    messageCount: count,
    incomingMessages: count,
    outgoingMessages: count,
    unreadMessages: count.meta({ description: "Came in on that day and have not been read, nor been answered since." }),
    lastActivity: z.iso.datetime().meta({ description: "Of that day." }),
    responseRate: rate.meta({
      description: "Own messages per hundred that came in on that day, at most 100. 0 when none came in.",
    }),
  })
  .meta({ id: "DailyContact" });
export type DailyContact = z.infer<typeof dailyContact>;

export const dailyChats = z
  .object({
    contacts: z.array(dailyContact).meta({ description: "The one with the last message of the day first." }),
    summary: z.object({
      date: z.iso.date(),
      totalContacts: count,
      individualContacts: count,
      groupContacts: count,
      totalMessages: count,
      totalIncomingMessages: count,
      totalOutgoingMessages: count,
      totalUnreadMessages: count,
      averageResponseRate: rate.meta({ description: "Of all contacts from whom something came in." }),
    }),
    pagination: z.object({ total: count, limit: count, offset: count, hasMore: z.boolean() }),
  })
  .meta({ id: "DailyChats" });
export type DailyChats = z.infer<typeof dailyChats>;

export const contactList = z
  .object({
    contacts: z.array(
      z.object({
        id: jid,
        name: z.string().nullable().meta({ description: "In the address book of the account." }),
        notify: z.string().nullable().meta({ description: "As they call themselves." }),
        verifiedName: z.string().nullable().meta({ description: "Of a verified business." }),
      }),
    ),
    total: count,
  })
  .meta({ id: "ContactList" });
export type ContactList = z.infer<typeof contactList>;
