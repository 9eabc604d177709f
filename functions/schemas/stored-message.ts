import * as z from "zod";
import type { StoredMessage } from "../../shared/db/message-lists.ts";
import { messageContent } from "../../shared/message.ts";
import { messageText } from "../../shared/message-text.ts";

const party = (who: string) =>
  z.string().meta({ description: `${who}: the digits of the phone number where it is known, else a JID.` });

/** A message as the data API shows it. */
export const storedMessageView = z
  .object({
    id: z.int(),
    session_id: z.int(),
    device_id: z.string(),
    whatsapp_number: z.string().meta({ description: "The account's own." }),
    message_id: z.string(),
    direction: z.enum(["in", "out"]),
    chat: z.string().meta({ description: "JID of the other person, or of the group." }),
    is_group: z.boolean(),
    sender_number: party("Who wrote it"),
    sender_name: z.string().nullable().meta({ description: "As they call themselves." }),
    receiver_number: party("For whom it was; in a group, the group"),
    message_type: z.string(),
    message: z.string().nullable().meta({ description: "Its text or caption; null where it has none or was deleted." }),
    details: messageContent.nullable().meta({ description: "All of the content; null when it was deleted." }),
    status: z.enum(["sent", "delivered", "read", "received"]),
    timestamp: z.iso.datetime().meta({ description: "By the sender's clock." }),
    edited_at: z.iso.datetime().nullable(),
    deleted_at: z.iso.datetime().nullable(),
  })
  .meta({ id: "StoredMessage" });

export const toStoredMessageView = (message: StoredMessage): z.input<typeof storedMessageView> => ({
  id: message.rowId,
  session_id: message.sessionId,
  device_id: message.deviceId,
  whatsapp_number: message.whatsappNumber,
  message_id: message.messageId,
  direction: message.isOwn ? "out" : "in",
  chat: message.chat,
  is_group: isGroup(message.chat),
  sender_number: message.sender,
  sender_name: message.senderName,
  receiver_number: message.receiver,
  message_type: message.type,
  message: message.content && messageText(message.content),
  details: message.content,
  status: message.status,
  timestamp: message.sentAt.toISOString(),
  edited_at: message.editedAt?.toISOString() ?? null,
  deleted_at: message.deletedAt?.toISOString() ?? null,
});

export const isGroup = (address: string) => address.endsWith("@g.us");

export const storedMessageExample: z.input<typeof storedMessageView> = {
  id: 4711,
  session_id: 1,
  device_id: "device-001",
  whatsapp_number: "6281234567890",
  message_id: "3AF0C1D2E3F405162738",
  direction: "in",
  chat: "6289876543210@s.whatsapp.net",
  is_group: false,
  sender_number: "6289876543210",
  sender_name: "Budi",
  receiver_number: "6281234567890",
  message_type: "text",
  message: "Halo juga",
  details: { messageType: "text", text: "Halo juga" },
  status: "received",
  timestamp: "2026-11-22T04:30:00.000Z",
  edited_at: null,
  deleted_at: null,
};
