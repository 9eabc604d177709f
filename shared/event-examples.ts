import type { EventBody, EventType } from "./events.ts";
import type { CommandId, JobId, MessageId, ScheduleId } from "./ids.ts";

const budi = { jid: "6289876543210@s.whatsapp.net", phone: "6289876543210", lid: "91872345678901" };
const sender = { ...budi, name: "Budi" };
const ani = { jid: "6281234567890@s.whatsapp.net", phone: "6281234567890", lid: null };
const placed = { chat: budi.jid, chatPhone: budi.phone, chatLid: budi.lid, fromMe: false, sender };
const messageId = "3AF0C1D2E3F405162738";
const sentAt = "2026-11-22T04:30:00.000Z";
const jobId = "job_019aa1b2c3d4e5f60718293a4b" as JobId;
const group = "120363041234567890@g.us";

/** One event of each type, for the documents. */
export const eventExamples: { [Type in EventType]: Extract<EventBody, { type: Type }> } = {
  "device.status": {
    type: "device.status",
    data: { status: "connected", reason: null, phoneNumber: "6281234567890" },
  },
  "device.qr": {
    type: "device.qr",
    data: {
      qrCode: "https://wa.me/settings/linked_devices#2@9Xv…,kT0…,Zq1…,pR8…,1",
      expiresAt: "2026-11-22T04:31:00.000Z",
    },
  },
  "message.received": {
    type: "message.received",
    data: { messageId, ...placed, messageType: "text", text: "Halo juga", sentAt },
  },
  "message.sent": {
    type: "message.sent",
    data: {
      commandId: "cmd_019aa1b2c3d4e5f60718293a4b" as CommandId,
      messageId: "3EB0C767D097B7C4D5E6F7",
      to: budi.jid,
    },
  },
  "message.status": {
    type: "message.status",
    data: { messageId: "3EB0C767D097B7C4D5E6F7", chat: group, participant: budi, status: "read" },
  },
  "message.edited": { type: "message.edited", data: { messageId, ...placed, text: "Halo juga!", sentAt } },
  "message.deleted": { type: "message.deleted", data: { messageId, ...placed, author: budi.jid, sentAt } },
  "message.reaction": {
    type: "message.reaction",
    data: { messageId: "3EB0C767D097B7C4D5E6F7", ...placed, author: ani.jid, emoji: "👍", sentAt },
  },
  "group.updated": {
    type: "group.updated",
    data: { group, author: sender, action: "updated", changes: { subject: "Tim Penjualan" } },
  },
  "group.participants": {
    type: "group.participants",
    data: { group, author: sender, action: "add", participants: [ani], method: null },
  },
  "call.received": {
    type: "call.received",
    data: {
      callId: "A3F7C0D19B2E4F58",
      from: sender,
      status: "offered",
      isVideo: false,
      isGroup: false,
      group: null,
    },
  },
  "job.progress": {
    type: "job.progress",
    data: { jobId, status: "processing", total: 200, successCount: 48, errorCount: 2 },
  },
  "job.finished": {
    type: "job.finished",
    data: { jobId, status: "completed", total: 200, successCount: 197, errorCount: 3 },
  },
  "schedule.fired": {
    type: "schedule.fired",
    data: {
      status: "fired",
      scheduledMessageId: "sch_019aa1b2c3d4e5f60718293a4b" as ScheduleId,
      to: budi.jid,
      commandId: "cmd_019aa1b2c3d4e5f60718293a4b" as CommandId,
      messageId: "3EB0C767D097B7C4D5E6F7" as MessageId,
    },
  },
};
