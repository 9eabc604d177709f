/**
 * Facts that a host records, as clients read them: of each type its schema, which is what is written, documented and
 * told. Every one is committed before anything is told about it.
 */
import * as z from "zod";
import { DEVICE_STATUSES } from "./device-status.ts";
import type { CommandId, DeviceId, EventId, JobId, MessageId, ScheduleId } from "./ids.ts";
import { addresses, messageContent, person } from "./message.ts";
import type { MessageContent } from "./message.ts";
import type { Trace } from "./trace.ts";

const time = z.iso.datetime();
const commandId = z.string().transform((text) => text as CommandId);
const jobId = z.string().transform((text) => text as JobId);

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
const messageReceived = z.object({ type: z.literal("message.received"), data: receivedData }).meta({
  description:
    "A message came in, of any kind, or was written on another device of this account (`fromMe`). What comes once more, after a crash or because it could not be read at first, is one event.",
});
const messageEdited = z
  .object({
    type: z.literal("message.edited"),
    data: z.object({
      messageId: z.string().meta({ description: "The message that was edited." }),
      ...placed,
      text: z.string().meta({ description: "The new text, or the new caption." }),
      mentions: z.array(z.string()).optional(),
      sentAt,
    }),
  })
  .meta({ description: "A message was edited by its writer." });
const messageDeleted = z
  .object({
    type: z.literal("message.deleted"),
    data: z.object({
      messageId: z.string().meta({ description: "The message that was deleted for everyone." }),
      ...placed,
      author: author.meta({
        description: "JID of who had written it; not the `sender` when an admin of a group deletes.",
      }),
      sentAt,
    }),
  })
  .meta({ description: "A message was deleted for everyone, by its writer or by an admin of the group." });
const messageReaction = z
  .object({
    type: z.literal("message.reaction"),
    data: z.object({
      messageId: z.string().meta({ description: "The message that is reacted to." }),
      ...placed,
      author,
      emoji: z.string().nullable().meta({ description: "Null: the reaction was taken back." }),
      sentAt,
    }),
  })
  .meta({ description: "Somebody reacted to a message, or took that back." });
const messageSent = z
  .object({
    type: z.literal("message.sent"),
    data: z.object({
      commandId: commandId.optional().meta({ description: "Not told of a job's item, which has the two below." }),
      jobId: jobId.optional(),
      itemIndex: z.int().optional().meta({ description: "Its place in the job, from 0." }),
      messageId: z.string(),
      to: z.string(),
    }),
  })
  .meta({ description: "WhatsApp's server has taken a message that was sent through the API." });
const messageStatus = z
  .object({
    type: z.literal("message.status"),
    data: z.object({
      messageId: z.string(),
      chat: z.string(),
      participant: addresses.nullable().meta({ description: "In a group, whose receipt it is; null in other chats." }),
      status: z.enum(["delivered", "read", "played"]),
    }),
  })
  .meta({
    description:
      "A message that was sent through the API has arrived, was read, or was listened to. In a group each reader is an event; the command follows the first.",
  });
const group = z.string().meta({ description: "JID of the group." });
const doneBy = person.nullable().meta({ description: "Who did it, where it is known." });
const groupUpdated = z
  .object({
    type: z.literal("group.updated"),
    data: z.object({
      group,
      author: doneBy,
      action: z.enum(["created", "joined", "updated", "deleted"]).meta({
        description:
          "`joined`: this account is in the group from now on. Then, and for a new group, `changes` is all of its settings that are known.",
      }),
      changes: z.object({
        subject: z.string().optional(),
        description: z.string().nullable().optional(),
        announcement: z.boolean().optional().meta({ description: "Only admins may write." }),
        locked: z
          .boolean()
          .optional()
          .meta({ description: "Only admins may change what the group is called and looks like." }),
        onlyAdminsAdd: z.boolean().optional(),
        joinApproval: z.boolean().optional().meta({ description: "An admin has to let people in." }),
        disappearingSeconds: z.int().min(0).optional().meta({ description: "0: messages stay." }),
        inviteCode: z.string().optional(),
        picture: z.enum(["changed", "removed"]).optional(),
      }),
    }),
  })
  .meta({ description: "A group was made, this account came into it, or something about it was changed." });
const groupParticipants = z
  .object({
    type: z.literal("group.participants"),
    data: z.object({
      group,
      author: doneBy,
      action: z.enum([
        "add",
        "remove",
        "leave",
        "promote",
        "demote",
        "change_number",
        "join_request",
        "join_request_withdrawn",
        "join_request_rejected",
      ]),
      participants: z.array(addresses).meta({ description: "Whom it is about." }),
      method: z.string().nullable().meta({ description: "How they came, where WhatsApp says it, such as `invite`." }),
    }),
  })
  .meta({ description: "Somebody came into a group, left it, or may do more or less in it than before." });
const callReceived = z
  .object({
    type: z.literal("call.received"),
    data: z.object({
      callId: z.string().meta({ description: "The same for the call and its outcome." }),
      from: person,
      status: z.enum(["offered", "accepted_elsewhere", "rejected", "missed", "ended"]).meta({
        description:
          "`offered` first. The rest is the outcome, where WhatsApp tells it: `ended` is that the caller gave up.",
      }),
      isVideo: z.boolean().optional().meta({ description: "Told with `offered`, as the two below." }),
      isGroup: z.boolean().optional(),
      group: z.string().nullable().optional().meta({ description: "JID of the group that is called." }),
    }),
  })
  .meta({ description: "Somebody calls this account; then what became of the call. It cannot be taken here." });
const deviceStatus = z
  .object({
    type: z.literal("device.status"),
    data: z.object({
      status: z.enum(DEVICE_STATUSES),
      reason: z.string().nullable(),
      phoneNumber: z.string().nullable(),
    }),
  })
  .meta({ description: "A device is connected, or is not any more, and why." });

const deviceQr = z
  .object({
    type: z.literal("device.qr"),
    data: z.object({
      qrCode: z.string().meta({ description: "What the phone is to scan." }),
      expiresAt: time.meta({ description: "WhatsApp replaces it then; the next one is an event of its own." }),
    }),
  })
  .meta({ description: "A QR code to link the device with." });

const jobCounts = { total: z.int(), successCount: z.int(), errorCount: z.int() };
const jobProgress = z
  .object({
    type: z.literal("job.progress"),
    data: z.object({
      jobId,
      status: z.enum(["processing", "paused"]),
      reason: z
        .string()
        .optional()
        .meta({ description: "Of a job that had to be paused: a code of the table of errors." }),
      ...jobCounts,
    }),
  })
  .meta({ description: "A job has come a twentieth further, or had to be paused." });
const jobFinished = z
  .object({
    type: z.literal("job.finished"),
    data: z.object({ jobId, status: z.enum(["completed", "failed", "cancelled"]), ...jobCounts }),
  })
  .meta({ description: "A job has ended: `completed`, `failed` when not one item succeeded, or `cancelled`." });

const scheduled = {
  scheduledMessageId: z.string().transform((text) => text as ScheduleId),
  to: z.string().meta({ description: "The recipient's JID." }),
};
const scheduleFired = z
  .object({
    type: z.literal("schedule.fired"),
    data: z.discriminatedUnion("status", [
      z.object({
        status: z.literal("fired"),
        ...scheduled,
        commandId,
        messageId: z
          .string()
          .transform((text) => text as MessageId)
          .meta({ description: "The id that the message has, or will have, on WhatsApp." }),
      }),
      z.object({
        status: z.literal("failed"),
        ...scheduled,
        reason: z.string().meta({ description: "A code of the table of errors, such as `not_connected`." }),
      }),
    ]),
  })
  .meta({
    description:
      "The time of a scheduled message has come. `fired`: it is a command from now on, and `message.sent` tells when WhatsApp has it. `failed`: the device was not connected in time, and nothing is sent.",
  });

/** By type, in the order of the contract. */
export const eventSchemas = {
  "device.status": deviceStatus,
  "device.qr": deviceQr,
  "message.received": messageReceived,
  "message.sent": messageSent,
  "message.status": messageStatus,
  "message.edited": messageEdited,
  "message.deleted": messageDeleted,
  "message.reaction": messageReaction,
  "group.updated": groupUpdated,
  "group.participants": groupParticipants,
  "call.received": callReceived,
  "job.progress": jobProgress,
  "job.finished": jobFinished,
  "schedule.fired": scheduleFired,
};
/** WhatsApp's server has taken a message of ours. */
export type MessageSent = z.output<typeof messageSent>;
/** A receipt for a message of ours. */
export type MessageStatus = z.output<typeof messageStatus>;
export type GroupUpdated = z.output<typeof groupUpdated>;
export type GroupParticipants = z.output<typeof groupParticipants>;
export type CallReceived = z.output<typeof callReceived>;
/** A scheduled message has become a command, or never will. */
export type ScheduleFired = z.output<typeof scheduleFired>;
export type EventType = keyof typeof eventSchemas;
export type EventBody = z.output<(typeof eventSchemas)[EventType]>;

/** `sequence` rises by one with each event of a device, without gaps. */
export type Event = EventBody & { id: EventId; deviceId: DeviceId; sequence: number; occurredAt: Date };
/** As it is read again; `isErased`: what it told is gone, as messages of the number are not kept. */
export type RecordedEvent = Event & { isErased: boolean };

/**
 * `dedupeKey`: the same fact offered again, after a crash, is not a second event. Null: it cannot be offered twice.
 * `otherKeys` are those under which it may have been offered before. `trace`: of the request that brought it about.
 * `isUnkept`: its content is erased when whoever is to be told of it has been.
 */
export type NewEvent = EventBody & {
  dedupeKey: string | null;
  otherKeys?: string[];
  occurredAt: Date;
  trace?: Trace | null;
  isUnkept?: boolean;
};
