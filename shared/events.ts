/**
 * Facts that a host records, as clients read them: of each type its schema, which is what is written, documented and
 * told. Every one is committed before anything is told about it.
 */
import * as z from "zod";
import { DEVICE_STATUSES } from "./device-status.ts";
import type { CommandId, DeviceId, EventId } from "./ids.ts";
import { messageContent, person } from "./message.ts";
import type { MessageContent } from "./message.ts";

const time = z.iso.datetime();
const commandId = z.string().transform((text) => text as CommandId);

/** Where a message was written, and by whom. */
const placed = {
  chat: z
    .string()
    .meta({ description: "JID of the chat: the other person, by phone number where known, or the group." }),
  chatPhone: z.string().nullable().meta({ description: "Null for a group, or where it is not known." }),
  chatLid: z.string().nullable().meta({ description: "Null for a group, or where it is not known." }),
  fromMe: z.boolean().meta({ description: "Done on another device of this same account." }),
  sender: person,
};
const sentAt = time.meta({ description: "By the sender's clock." });
const author = z.string().nullable().meta({ description: "JID of who wrote that message, where it is known." });

const receivedHead = z.object({ messageId: z.string(), ...placed, sentAt });
/** Of each kind of content one object, with the head in it: an intersection could not say that it has no other fields. */
const [firstKind, ...otherKinds] = messageContent.options.map((kind) => kind.extend(receivedHead.shape));
if (!firstKind) throw new Error("messages have no content");
type Received = z.infer<typeof receivedHead> & MessageContent;
const receivedData: z.ZodType<Received, Received> = z.discriminatedUnion("messageType", [firstKind, ...otherKinds]);
const messageReceived = z.object({ type: z.literal("message.received"), data: receivedData });
const messageEdited = z.object({
  type: z.literal("message.edited"),
  data: z.object({
    messageId: z.string().meta({ description: "The message that was edited." }),
    ...placed,
    text: z.string().meta({ description: "The new text, or the new caption." }),
    mentions: z.array(z.string()).optional(),
    sentAt,
  }),
});
const messageDeleted = z.object({
  type: z.literal("message.deleted"),
  data: z.object({
    messageId: z.string().meta({ description: "The message that was deleted for everyone." }),
    ...placed,
    author: author.meta({
      description: "JID of who had written it; not the `sender` when an admin of a group deletes.",
    }),
    sentAt,
  }),
});
const messageReaction = z.object({
  type: z.literal("message.reaction"),
  data: z.object({
    messageId: z.string().meta({ description: "The message that is reacted to." }),
    ...placed,
    author,
    emoji: z.string().nullable().meta({ description: "Null: the reaction was taken back." }),
    sentAt,
  }),
});
const messageSent = z.object({
  type: z.literal("message.sent"),
  data: z.object({ commandId, messageId: z.string(), to: z.string() }),
});
const messageStatus = z.object({
  type: z.literal("message.status"),
  data: z.object({ messageId: z.string(), chat: z.string(), status: z.enum(["delivered", "read"]) }),
});
const deviceStatus = z.object({
  type: z.literal("device.status"),
  data: z.object({
    status: z.enum(DEVICE_STATUSES),
    reason: z.string().nullable(),
    phoneNumber: z.string().nullable(),
  }),
});

/** By type, in the order of the contract. */
export const eventSchemas = {
  "device.status": deviceStatus,
  "message.received": messageReceived,
  "message.sent": messageSent,
  "message.status": messageStatus,
  "message.edited": messageEdited,
  "message.deleted": messageDeleted,
  "message.reaction": messageReaction,
};
/** WhatsApp's server has taken a message of ours. */
export type MessageSent = z.output<typeof messageSent>;
export type EventType = keyof typeof eventSchemas;
export type EventBody = z.output<(typeof eventSchemas)[EventType]>;

/** `sequence` rises by one with each event of a device, without gaps. */
export type Event = EventBody & { id: EventId; deviceId: DeviceId; sequence: number; occurredAt: Date };

/** `dedupeKey`: the same fact offered again, after a crash, is not a second event. Null: it cannot be offered twice. */
export type NewEvent = EventBody & { dedupeKey: string | null; occurredAt: Date };
