import * as z from "zod";
import type { Delivery, PastTry } from "../../shared/db/delivery-log.ts";
import { EVERY_EVENT } from "../../shared/db/fan-out.ts";
import type { Webhook } from "../../shared/db/webhooks.ts";
import { eventSchemas } from "../../shared/events.ts";
import type { EventType } from "../../shared/events.ts";
import type { WebhookId } from "../../shared/ids.ts";
import { DISABLED_NOTICE } from "../../shared/notices.ts";
import type { BrokenRule } from "../issue.ts";
import { deviceId } from "./device.ts";

const MAX_DEVICES = 100;
const MAX_HEADERS = 20;
const MAX_HEADERS_LENGTH = 8_000;
const EVENT_TYPES = Object.keys(eventSchemas) as [EventType, ...EventType[]];

export const webhookParams = z.object({
  id: z
    .string()
    .regex(/^\w{1,40}$/)
    .transform((value) => value as WebhookId),
});

export const subscribedTypes = z
  .array(z.enum([EVERY_EVENT, ...EVENT_TYPES, DISABLED_NOTICE]))
  .min(1)
  .max(EVENT_TYPES.length + 2)
  .meta({
    description: `\`*\` is every type, also of a later version. \`${DISABLED_NOTICE}\`: another webhook of one's own was disabled, for its failures or its answer.`,
    examples: [["message.received"]],
  });
export const webhookDevices = z
  .array(deviceId)
  .min(1)
  .max(MAX_DEVICES)
  .nullable()
  .meta({ description: "Only events of these; null: of every device that one may use, also of later ones." });
export const webhookDescription = z.string().max(255).nullable();
export const isOrdered = z.boolean().meta({
  description:
    "Events of a device one after the other, each when the one before was taken or given up. One that fails holds up those behind it.",
});

/** Ours, and those that are about the connection and not about the request (RFC 9110, 7.6.1). */
const RESERVED =
  /^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-.*|proxy-.*|webhook-.*)$/i;
const NOT_A_HEADER: BrokenRule = {
  sentence: {
    id: "nama header harus sah dan tidak dipakai oleh server ini, isinya 1-1000 karakter ASCII",
    en: "must be names of headers that are not ours to set, each with 1-1000 ASCII characters",
  },
};
const isHeader = ([name, value]: [string, string]) =>
  /^[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name) &&
  !RESERVED.test(name) &&
  /^[\x21-\x7e]([\x20-\x7e]{0,998}[\x21-\x7e])?$/.test(value);
export const customHeaders = z
  .record(z.string(), z.string())
  .refine(
    (headers) => {
      const entries = Object.entries(headers);
      return (
        entries.length <= MAX_HEADERS && entries.every(isHeader) && JSON.stringify(headers).length <= MAX_HEADERS_LENGTH
      );
    },
    { params: NOT_A_HEADER },
  )
  .meta({
    description:
      "Sent with every event, such as `authorization`. At most 20; not those of the connection, nor `content-*` and `webhook-*`. They are not shown again.",
    examples: [{ "x-shop": "bandung" }],
  });

const isoTime = z.iso.datetime();
export const webhookView = z
  .object({
    webhookId: z.string(),
    url: z.string(),
    description: z.string().nullable(),
    events: z.array(z.string()),
    deviceIds: z.array(z.string()).nullable(),
    headerNames: z.array(z.string()).meta({ description: "What they are is not shown." }),
    ordered: z.boolean(),
    status: z.enum(["active", "paused", "disabled"]).meta({
      description: "`paused`: it has failed again and again, or asked for it; it is tried again by itself.",
    }),
    disabledReason: z.enum(["requested", "gone", "failing"]).nullable().meta({
      description: "`gone`: it answered 410. `failing`: for five days it did nothing but fail.",
    }),
    disabledAt: isoTime.nullable(),
    pausedUntil: isoTime.nullable(),
    failingSince: isoTime.nullable(),
    oldSecretUntil: isoTime.nullable().meta({ description: "Until then events are signed with the old secret too." }),
    createdAt: isoTime,
  })
  .meta({ id: "Webhook" });

/** @param headerNames of its sealed headers */
export function toWebhookView(webhook: Webhook, headerNames: string[]): z.input<typeof webhookView> {
  const { disabledAt, pausedUntil, failingSince, oldSecretUntil } = webhook;
  const now = new Date();
  const until = (time: Date | null) => (time && time > now ? time.toISOString() : null);
  return {
    webhookId: webhook.webhookId,
    url: webhook.url ?? "",
    description: webhook.description,
    events: webhook.eventTypes,
    deviceIds: webhook.deviceIds,
    headerNames,
    ordered: webhook.isOrdered,
    status: disabledAt ? "disabled" : until(pausedUntil) ? "paused" : "active",
    disabledReason: webhook.disabledReason,
    disabledAt: disabledAt?.toISOString() ?? null,
    pausedUntil: until(pausedUntil),
    failingSince: failingSince?.toISOString() ?? null,
    oldSecretUntil: until(oldSecretUntil),
    createdAt: webhook.createdAt.toISOString(),
  };
}

export const webhookExample: z.input<typeof webhookView> = {
  webhookId: "hook_019aa1b2c3d4e5f60718293a4b",
  url: "https://shop.example.com/whatsapp",
  description: "Toko online",
  events: ["message.received", "message.status"],
  deviceIds: ["device-001"],
  headerNames: ["x-shop"],
  ordered: false,
  status: "active",
  disabledReason: null,
  disabledAt: null,
  pausedUntil: null,
  failingSince: null,
  oldSecretUntil: null,
  createdAt: "2026-11-22T03:00:00.000Z",
};
export const secretExample = "whsec_bm90IGEgc2VjcmV0IG9mIGFueWJvZHkgYXQgYWxsLi4=";

export const deliveryState = z.enum(["pending", "delivered", "dead"]).meta({
  description: "`pending`: it is tried again. `dead`: it was given up; it can be redelivered.",
});
const pastTry = z.object({
  at: isoTime,
  ms: z.int(),
  status: z.int().nullable().meta({ description: "Null: there was no answer." }),
  error: z.string().nullable().meta({
    description:
      "A stable word, such as `http_status`, `timeout`, `unreachable`, `inside_address`; null: it was taken.",
  }),
  answer: z.string().nullable().meta({ description: "The first 1,000 bytes of the answer's body." }),
});
export const deliveryView = z
  .object({
    deliveryId: z.int(),
    webhookId: z.string(),
    eventId: z.string().meta({ description: "`webhook-id` of every try." }),
    type: z.string(),
    deviceId: z.string().nullable(),
    sequence: z.int().nullable(),
    state: deliveryState,
    tries: z.int(),
    createdAt: isoTime,
    nextTryAt: isoTime.nullable(),
    lastTry: pastTry.nullable(),
    earlierTries: z.array(pastTry).meta({ description: "Those before the last, oldest first; all of them failed." }),
    error: z.string().nullable().meta({ description: "Why it is dead, where no try says so: `expired`, `erased`." }),
  })
  .meta({ id: "Delivery" });

export const toDeliveryView = (delivery: Delivery): z.input<typeof deliveryView> => ({
  deliveryId: delivery.deliveryId,
  webhookId: delivery.webhookId,
  eventId: delivery.eventId,
  type: delivery.type,
  deviceId: delivery.deviceId === "" ? null : delivery.deviceId,
  sequence: delivery.deviceId === "" ? null : delivery.sequence,
  state: delivery.state,
  tries: delivery.tries,
  createdAt: delivery.createdAt.toISOString(),
  nextTryAt: delivery.dueAt?.toISOString() ?? null,
  lastTry: delivery.lastTry && toPastTry(delivery.lastTry),
  earlierTries: delivery.earlierTries.map(toPastTry),
  error: delivery.error,
});

const toPastTry = ({ at, ...past }: PastTry): z.input<typeof pastTry> => ({ at: at.toISOString(), ...past });

export const deliveryExample: z.input<typeof deliveryView> = {
  deliveryId: 4711,
  webhookId: webhookExample.webhookId,
  eventId: "evt_019aa1b2c3d4e5f60718293a4b",
  type: "message.received",
  deviceId: "device-001",
  sequence: 42,
  state: "delivered",
  tries: 2,
  createdAt: "2026-11-22T04:30:00.500Z",
  nextTryAt: null,
  lastTry: { at: "2026-11-22T04:30:06.150Z", ms: 81, status: 200, error: null, answer: "ok" },
  earlierTries: [{ at: "2026-11-22T04:30:00.650Z", ms: 3, status: 502, error: "http_status", answer: "Bad Gateway" }],
  error: null,
};
