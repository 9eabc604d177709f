/** One instruction for a device's socket, as it lies in its row and travels through the queue. */
import * as z from "zod";
import { MAX_GROUP_MEMBERS, MAX_SUBJECT_LENGTH, MEMBER_ACTIONS } from "./groups.ts";
import { DEVICE_ID_PATTERN } from "./ids.ts";
import type { CommandId, DeviceId } from "./ids.ts";
import { MEDIA_KINDS, storedMedia } from "./media.ts";

/** WhatsApp's own limit is higher; this is the contract's. Counted in UTF-16 units, as clients count. */
export const MAX_TEXT_LENGTH = 4096;
export const MAX_FILE_NAME_LENGTH = 255;
/**
 * Messages to send, by kind. `to` is a JID without device, `mentions` are JIDs of people whose names the text has as
 * `@number`.
 */
const sendingPayload = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("send-text"),
    to: z.string(),
    text: z.string().min(1).max(MAX_TEXT_LENGTH),
    mentions: z.array(z.string()).max(MAX_GROUP_MEMBERS).optional(),
  }),
  /** `media` lies in the bucket under its hash, see `mediaObject`. */
  z.object({
    kind: z.literal("send-media"),
    to: z.string(),
    mediaType: z.enum(MEDIA_KINDS),
    media: storedMedia,
    caption: z.string().min(1).max(MAX_TEXT_LENGTH).optional(),
    fileName: z.string().min(1).max(MAX_FILE_NAME_LENGTH).optional(),
  }),
]);
export type SendingPayload = z.infer<typeof sendingPayload>;
export type MediaPayload = Extract<SendingPayload, { kind: "send-media" }>;

/** What only reads: `chat` is a JID, a day is from its first millisecond to the first one after it. */
const readingPayload = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("read-chat"),
    chat: z.string(),
    limit: z.int().min(1),
    before: z.string().optional(),
    source: z.enum(["auto", "server", "store"]),
    waitMs: z.int().min(0),
  }),
  z.object({
    kind: z.literal("daily-chats"),
    date: z.string(),
    from: z.int(),
    to: z.int(),
    includeGroups: z.boolean(),
    limit: z.int().min(1),
    offset: z.int().min(0),
  }),
  z.object({ kind: z.literal("list-contacts") }),
  z.object({ kind: z.literal("list-groups") }),
  /** `group` is a JID, here and below. */
  z.object({ kind: z.literal("group-info"), group: z.string() }),
]);
export type ReadingPayload = z.infer<typeof readingPayload>;

/** What each kind of command carries. */
export const commandPayload = z.discriminatedUnion("kind", [
  /** `isInLine`: nobody waits for it, so it takes its turn among the logins of its host. */
  z.object({ kind: z.literal("connect"), isInLine: z.boolean().optional() }),
  z.object({ kind: z.literal("disconnect"), logout: z.boolean() }),
  /** The device was taken out of the registry: close its socket, without logging out. */
  z.object({ kind: z.literal("forget") }),
  /** Stop, and delete all that is stored of the device; with `isRemoved` its row as well. */
  z.object({ kind: z.literal("wipe"), isRemoved: z.boolean() }),
  /** A code to type on the phone of this number, in place of a QR. */
  z.object({ kind: z.literal("pairing-code"), phone: z.string() }),
  /** Find stored sessions of the command's user and connect them; null: all. It is about no one device: `ALL_DEVICES`. */
  z.object({ kind: z.literal("restore"), deviceIds: z.array(z.string()).nullable() }),
  /** People are JIDs without device. */
  z.object({
    kind: z.literal("create-group"),
    subject: z.string().min(1).max(MAX_SUBJECT_LENGTH),
    participants: z.array(z.string()).max(MAX_GROUP_MEMBERS),
  }),
  z.object({
    kind: z.literal("change-members"),
    group: z.string(),
    action: z.enum(MEMBER_ACTIONS),
    participants: z.array(z.string()).min(1).max(MAX_GROUP_MEMBERS),
  }),
  sendingPayload,
  readingPayload,
]);
export type CommandPayload = z.infer<typeof commandPayload>;
export type CommandKind = CommandPayload["kind"];

const SENDING_KINDS = new Set<CommandKind>(sendingPayload.options.map(({ shape }) => shape.kind.value));
/** Whether a command is a message: it has an id on WhatsApp, goes through the outbox, and ends with an acknowledgement. */
export const isSending = (payload: CommandPayload): payload is SendingPayload => SENDING_KINDS.has(payload.kind);

const READING_KINDS = new Set<CommandKind>(readingPayload.options.map(({ shape }) => shape.kind.value));
/** Whether a command only reads: it does not wait for the device's other commands, nor they for it. */
export const isReading = (payload: CommandPayload): payload is ReadingPayload => READING_KINDS.has(payload.kind);

const HOUR_SECONDS = 3_600;
/** What ends something is never too late. */
const UNLIMITED: readonly CommandKind[] = ["disconnect", "forget", "wipe"];
/**
 * How long a command may wait to be begun, in seconds; null: for ever. A message that was accepted is worth an hour of
 * outage. Everything else has somebody waiting for its answer.
 */
export const secondsToBegin = (payload: CommandPayload): number | null =>
  UNLIMITED.includes(payload.kind) ? null : isSending(payload) ? HOUR_SECONDS : 300;

/**
 * States only move forward.
 * Messages: queued → sending → accepted (WhatsApp's server has it) → delivered → read, or failed, or unknown (sent, and
 * no answer came: it is sent again under the same id, half a minute later and after the next login). Other kinds: queued → running → done, or failed.
 */
export const COMMAND_STATES = [
  "queued",
  "sending",
  "running",
  "unknown",
  "accepted",
  "delivered",
  "read",
  "done",
  "failed",
] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

/** States after which the command is never run again. */
export const FINISHED_STATES: readonly CommandState[] = ["accepted", "delivered", "read", "done", "failed"];
export const isFinished = (state: CommandState) => FINISHED_STATES.includes(state);

/** In place of a device's id, which has other characters. */
export const ALL_DEVICES = "*" as DeviceId;

/** What does not wait for a device's other commands: they may be what is to be stopped. */
export const overtakes = ({ kind }: CommandPayload): boolean => kind === "wipe" || kind === "forget";

/** The body of a queue message: where to look, and which line it stands in. The row is the truth. */
export const commandMessage = z.object({
  commandId: z.string().transform((text) => text as CommandId),
  deviceId: z
    .string()
    .refine((text) => text === ALL_DEVICES || DEVICE_ID_PATTERN.test(text))
    .transform((text) => text as DeviceId),
  isReading: z.boolean().optional(),
  overtakes: z.boolean().optional(),
  /** There is no row: the device's jobs have something to do. */
  wakesJobs: z.boolean().optional(),
  /** There is no row of this id: a schedule of the device is due soon. */
  wakesSchedules: z.boolean().optional(),
});
export type CommandMessage = z.infer<typeof commandMessage>;

/** The queue message of a command. */
export const messageOf = (commandId: CommandId, deviceId: DeviceId, payload: CommandPayload): CommandMessage => ({
  commandId,
  deviceId,
  ...(isReading(payload) && { isReading: true }),
  ...(overtakes(payload) && { overtakes: true }),
});
