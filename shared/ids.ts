/** Branded identifiers, so that one kind cannot be passed where another is meant. */
import { createHmac, randomBytes } from "node:crypto";

type Brand<Name extends string> = string & { readonly brand: Name };
/** Chosen by the client: 3-50 characters of `[a-zA-Z0-9_-]`; unique in the whole installation. */
export type DeviceId = Brand<"DeviceId">;
export type CommandId = Brand<"CommandId">;
export type UserId = Brand<"UserId">;
export type TokenId = Brand<"TokenId">;
export type HostId = Brand<"HostId">;
export type EventId = Brand<"EventId">;
export type JobId = Brand<"JobId">;
export type ScheduleId = Brand<"ScheduleId">;
export type WebhookId = Brand<"WebhookId">;
export type MediaId = Brand<"MediaId">;
/** The id that a message has on WhatsApp, the same for the sender and every recipient. */
export type MessageId = Brand<"MessageId">;

export const DEVICE_ID_PATTERN = /^[a-zA-Z0-9_-]{3,50}$/;

let latestMs = 0;

/**
 * Sorts by time of creation: 48 bits of milliseconds, then 56 random bits. Within a process no two share a millisecond,
 * so that what was accepted in one moment keeps its order.
 */
function sortable(prefix: string): string {
  latestMs = Math.max(Date.now(), latestMs + 1);
  const time = latestMs.toString(16).padStart(12, "0");
  return `${prefix}_${time}${randomBytes(7).toString("hex")}`;
}
export const newCommandId = () => sortable("cmd") as CommandId;
export const newUserId = () => sortable("usr") as UserId;
export const newTokenId = () => sortable("tok") as TokenId;
export const newEventId = () => sortable("evt") as EventId;
export const newScheduleId = () => sortable("sch") as ScheduleId;
/** No id of this kind, such as `evt`, that was made at this moment or later is a lower one. */
export const idsFrom = (prefix: string, time: Date) =>
  `${prefix}_${Math.max(0, time.getTime()).toString(16).padStart(12, "0")}`;
export const eventIdsFrom = (time: Date) => idsFrom("evt", time);
export const timeOfEventId = (eventId: EventId) => new Date(Number.parseInt(eventId.slice(4, 16), 16));
export const newJobId = () => sortable("job") as JobId;
export const newWebhookId = () => sortable("hook") as WebhookId;
export const newMediaId = () => sortable("med") as MediaId;
export const newHostId = () => sortable("host") as HostId;

/**
 * The WhatsApp id of the message that something asks for. The same `source`, which is unique within the device, always
 * gives the same id, so that a retry after any crash is the same message to its recipient. Looks like an id made by Baileys: `3EB0` and 18 upper-case
 * hexadecimal digits (lib/Utils/generics.js, generateMessageIDV2).
 */
export function messageIdFor(deviceId: DeviceId, source: string): MessageId {
  const digest = createHmac("sha256", "whatsapp message id").update(`${deviceId}\n${source}`).digest("hex");
  return `3EB0${digest.slice(0, 18).toUpperCase()}` as MessageId;
}

/** Whether an id may be of `messageIdFor`. Phones make others; WhatsApp Web and programs with Baileys make such ids, too. */
export const mayBeOurMessageId = (id: string): id is MessageId => /^3EB0[0-9A-F]{18}$/.test(id);
