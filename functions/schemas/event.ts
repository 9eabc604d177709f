import * as z from "zod";
import { DEVICE_STATUSES } from "../../shared/device-status.ts";
import type { Event } from "../../shared/events.ts";

const common = {
  id: z.string().meta({ description: "Unique. The same event offered twice has the same id." }),
  deviceId: z.string(),
  sequence: z.int().meta({ description: "Rises by one with each event of a device, without gaps." }),
  occurredAt: z.iso.datetime(),
};

const messageReceived = z.object({
  ...common,
  type: z.literal("message.received"),
  data: z.object({
    messageId: z.string(),
    chat: z.string().meta({ description: "JID of the chat: the other person, or the group." }),
    fromMe: z.boolean().meta({ description: "Written on another device of this same account." }),
    sender: z.object({
      jid: z.string(),
      phone: z.string().nullable(),
      lid: z.string().nullable(),
      name: z.string().nullable(),
    }),
    messageType: z.literal("text"),
    text: z.string(),
    sentAt: z.iso.datetime().meta({ description: "By the sender's clock." }),
  }),
});
const messageSent = z.object({
  ...common,
  type: z.literal("message.sent"),
  data: z.object({ commandId: z.string(), messageId: z.string(), to: z.string() }),
});
const messageStatus = z.object({
  ...common,
  type: z.literal("message.status"),
  data: z.object({ messageId: z.string(), chat: z.string(), status: z.enum(["delivered", "read"]) }),
});
const deviceStatus = z.object({
  ...common,
  type: z.literal("device.status"),
  data: z.object({
    status: z.enum(DEVICE_STATUSES),
    reason: z.string().nullable(),
    phoneNumber: z.string().nullable(),
  }),
});

export const eventView = z
  .discriminatedUnion("type", [messageReceived, messageSent, messageStatus, deviceStatus])
  .meta({ id: "Event" });

export const toEventView = (event: Event): z.input<typeof eventView> => ({
  ...event,
  occurredAt: event.occurredAt.toISOString(),
});

export const eventExample: z.input<typeof eventView> = {
  id: "evt_019aa1b2c3d4e5f60718293a4b",
  deviceId: "device-001",
  sequence: 42,
  type: "message.received",
  occurredAt: "2026-11-22T04:30:00.500Z",
  data: {
    messageId: "3AF0C1D2E3F405162738",
    chat: "6289876543210@s.whatsapp.net",
    fromMe: false,
    sender: { jid: "6289876543210@s.whatsapp.net", phone: "6289876543210", lid: null, name: "Budi" },
    messageType: "text",
    text: "Halo juga",
    sentAt: "2026-11-22T04:30:00.000Z",
  },
};
