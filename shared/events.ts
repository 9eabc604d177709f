/** Facts that a host records, as clients read them. Every one is committed before anything is told about it. */
import type { DeviceStatus } from "./device-status.ts";
import type { CommandId, DeviceId, EventId } from "./ids.ts";

/** An incoming text. A person's phone number or LID is null where WhatsApp has not told it. */
export type MessageReceived = {
  type: "message.received";
  data: {
    messageId: string;
    /** The chat's JID without device: the other person, or the group. */
    chat: string;
    /** True when it was typed on another device of this same account. */
    fromMe: boolean;
    sender: { jid: string; phone: string | null; lid: string | null; name: string | null };
    messageType: "text";
    text: string;
    /** When the sender's phone says it was written, ISO 8601 UTC. */
    sentAt: string;
  };
};
/** WhatsApp's server has taken a message of ours. */
export type MessageSent = {
  type: "message.sent";
  data: { commandId: CommandId; messageId: string; to: string };
};
/** A receipt for a message of ours. */
export type MessageStatus = {
  type: "message.status";
  data: { messageId: string; chat: string; status: "delivered" | "read" };
};
export type DeviceStatusChanged = {
  type: "device.status";
  data: { status: DeviceStatus; reason: string | null; phoneNumber: string | null };
};

export type EventBody = MessageReceived | MessageSent | MessageStatus | DeviceStatusChanged;

/** `sequence` rises by one with each event of a device, without gaps. */
export type Event = EventBody & { id: EventId; deviceId: DeviceId; sequence: number; occurredAt: Date };

/** `dedupeKey`: the same fact offered again, after a crash, is not a second event. Null: it cannot be offered twice. */
export type NewEvent = EventBody & { dedupeKey: string | null; occurredAt: Date };
