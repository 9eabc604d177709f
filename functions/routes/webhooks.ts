import * as z from "zod";
import * as webhooks from "../../shared/db/webhooks.ts";
import { ApiError } from "../../shared/errors.ts";
import { newWebhookId } from "../../shared/ids.ts";
import type { DeviceId, WebhookId } from "../../shared/ids.ts";
import { seal } from "../../shared/sealed.ts";
import { newWebhookSecret, repeatableWebhookSecret } from "../../shared/webhook-secret.ts";
import { findReplay, idempotency, IDEMPOTENCY_REPLAYED, idempotencyKey } from "../idempotency.ts";
import { ownDevices } from "../own-device.ts";
import { isWithin, ownWebhook, viewOf } from "../own-webhook.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { publicUrl } from "../schemas/public-url.ts";
import {
  customHeaders,
  isOrdered,
  secretExample,
  subscribedTypes,
  webhookDescription,
  webhookDevices,
  webhookExample,
  webhookParams,
  webhookView,
} from "../schemas/webhook.ts";

const BASE = "/api/webhooks";
const tag = "Webhooks";
const scope = "webhooks:write";
/** Of one user: every event is looked at for each. */
const MAX_WEBHOOKS = 20;
const USUAL_OVERLAP_HOURS = 24;
const LONGEST_OVERLAP_HOURS = 168;

const view = (message: { id: string; en: string }, changed: Partial<typeof webhookExample> = {}) =>
  answer(message, webhookView, { ...webhookExample, ...changed });
const sealedHeaders = ({ services }: Call, webhookId: WebhookId, headers: Record<string, string>) =>
  Object.keys(headers).length ? seal(JSON.stringify(headers), services.config.webhookKey, webhookId) : null;

async function assertOwn(call: Call, deviceIds: DeviceId[] | null): Promise<void> {
  if (!isWithin(call.caller, deviceIds)) {
    throw new ApiError("forbidden", [{ path: "body.deviceIds", message: "more than the caller's own token may" }]);
  }
  await ownDevices(call, deviceIds ?? []);
}

const listWebhooks = route({
  name: "listWebhooks",
  method: "get",
  path: BASE,
  tag,
  scope: "webhooks:read",
  summary: "List one's own webhooks",
  description: "Oldest first, disabled ones too.",
  answers: {
    200: answer({ id: "Daftar webhook", en: "The webhooks" }, z.object({ webhooks: z.array(webhookView) }), {
      webhooks: [webhookExample],
    }),
  },
  errors: [],
  async handle(_input, call) {
    const all = await webhooks.list(call.services.database, call.caller.userId);
    const own = all.filter(({ deviceIds }) => isWithin(call.caller, deviceIds));
    return { status: 200, data: { webhooks: own.map((webhook) => viewOf(call, webhook)) } };
  },
});

const createWebhook = route({
  name: "createWebhook",
  method: "post",
  path: BASE,
  tag,
  scope,
  summary: "Have events sent to a URL",
  description:
    "Each event from now on is posted as JSON, signed as Standard Webhooks says, at least once: a receiver keeps `webhook-id` to know one that comes again. Any 2xx within 15 seconds is success; anything else is tried again, ten times over three days. `secret` is shown in this answer only. The events of a webhook hold messages: who may make one may read them.",
  headers: z.object({ "idempotency-key": idempotencyKey.optional() }),
  body: z.object({
    url: publicUrl,
    events: subscribedTypes,
    deviceIds: webhookDevices.default(null),
    description: webhookDescription.default(null),
    headers: customHeaders.default({}),
    ordered: isOrdered.default(false),
  }),
  bodyExample: { url: webhookExample.url, events: ["message.received"], deviceIds: ["device-001"] },
  answers: {
    201: answer(
      { id: "Webhook berhasil dibuat", en: "The webhook was created" },
      webhookView.extend({ secret: z.string() }),
      {
        ...webhookExample,
        secret: secretExample,
      },
    ),
  },
  audit: { action: "webhook.create", target: "webhookId" },
  errors: ["url_not_allowed", "forbidden", "device_not_found", "limit_reached", "idempotency_mismatch"],
  async handle({ headers, body }, call) {
    const { database, config } = call.services;
    const { userId } = call.caller;
    const once = idempotency(headers["idempotency-key"], call);
    const secret = once ? repeatableWebhookSecret(config.webhookKey, once.key, once.fingerprint) : newWebhookSecret();
    const find = (key: string) => webhooks.getCreation(database, key);
    const replay = (await findReplay(once, find))?.webhook;
    if (replay) return { status: 201, data: { ...viewOf(call, replay), secret }, headers: IDEMPOTENCY_REPLAYED };
    await assertOwn(call, body.deviceIds);
    if ((await webhooks.list(database, userId)).length >= MAX_WEBHOOKS) throw new ApiError("limit_reached");
    const webhookId = newWebhookId();
    const { url, events: eventTypes, deviceIds, description, ordered } = body;
    const isNew = await webhooks.create(database, {
      webhookId,
      userId,
      url,
      eventTypes,
      deviceIds,
      description,
      isOrdered: ordered,
      headers: sealedHeaders(call, webhookId, body.headers),
      secret: seal(secret, config.webhookKey, webhookId),
      ...(once && { idempotency: once }),
    });
    const made = isNew ? await webhooks.get(database, userId, webhookId) : (await findReplay(once, find))?.webhook;
    if (!made) throw new Error(`the row of webhook ${webhookId} has vanished`);
    return { status: 201, data: { ...viewOf(call, made), secret }, ...(!isNew && { headers: IDEMPOTENCY_REPLAYED }) };
  },
});

const getWebhook = route({
  name: "getWebhook",
  method: "get",
  path: `${BASE}/:id`,
  tag,
  scope: "webhooks:read",
  summary: "Look at a webhook",
  description: "How it does as well: whether it is paused or disabled, since when it fails. The secret is not shown.",
  params: webhookParams,
  answers: { 200: view({ id: "Webhook", en: "The webhook" }) },
  errors: ["webhook_not_found"],
  handle: async ({ params }, call) => ({ status: 200, data: viewOf(call, await ownWebhook(call, params.id)) }),
});

const changeWebhook = route({
  name: "changeWebhook",
  method: "put",
  path: `${BASE}/:id`,
  tag,
  scope,
  summary: "Change a webhook, switch it on or off",
  description:
    "What is not given stays. `isActive: true` ends a pause too, and what waits is tried at once; while it is false nothing is added to what waits.",
  params: webhookParams,
  body: z.object({
    url: publicUrl.optional(),
    events: subscribedTypes.optional(),
    deviceIds: webhookDevices.optional(),
    description: webhookDescription.optional(),
    headers: customHeaders.optional(),
    ordered: isOrdered.optional(),
    isActive: z.boolean().optional(),
  }),
  bodyExample: { isActive: false },
  answers: {
    200: view(
      { id: "Webhook berhasil diubah", en: "The webhook was changed" },
      { status: "disabled", disabledReason: "requested", disabledAt: "2026-11-22T04:30:00.000Z" },
    ),
  },
  audit: { action: "webhook.change", target: "webhookId" },
  errors: ["webhook_not_found", "url_not_allowed", "forbidden", "device_not_found"],
  async handle({ params: { id }, body }, call) {
    const { database, deliveries, log } = call.services;
    const webhook = await ownWebhook(call, id);
    const { deviceIds = webhook.deviceIds, isActive } = body;
    // What it has may be of a device that has gone since.
    if (body.deviceIds !== undefined) await assertOwn(call, deviceIds);
    const changed = {
      ...webhook,
      deviceIds,
      ...(body.url !== undefined && { url: body.url }),
      ...(body.events && { eventTypes: body.events }),
      ...(body.description !== undefined && { description: body.description }),
      ...(body.headers && { headers: sealedHeaders(call, id, body.headers) }),
      ...(body.ordered !== undefined && { isOrdered: body.ordered }),
    };
    await webhooks.update(database, changed, isActive);
    if (isActive) await deliveries.wake([id]).catch((err: unknown) => log.warn({ err }, "deliverers were not woken"));
    return { status: 200, data: viewOf(call, await ownWebhook(call, id)) };
  },
});

const removeWebhook = route({
  name: "removeWebhook",
  method: "delete",
  path: `${BASE}/:id`,
  tag,
  scope,
  summary: "Remove a webhook",
  description: "At once, with what waits for it and its log.",
  params: webhookParams,
  answers: {
    200: answer(
      { id: "Webhook berhasil dihapus", en: "The webhook was removed" },
      z.object({ webhookId: z.string() }),
      {
        webhookId: webhookExample.webhookId,
      },
    ),
  },
  audit: { action: "webhook.remove", target: "webhookId" },
  errors: ["webhook_not_found"],
  async handle({ params: { id } }, call) {
    await ownWebhook(call, id);
    await webhooks.remove(call.services.database, id);
    return { status: 200, data: { webhookId: id } };
  },
});

const rotateSecret = route({
  name: "rotateWebhookSecret",
  method: "post",
  path: `${BASE}/:id/rotate-secret`,
  tag,
  scope,
  summary: "Make a new secret",
  description:
    "Events are signed with both secrets for `overlapHours`, so that a receiver has time to change; then with the new one alone. It is shown in this answer only. An earlier old secret ends at once.",
  params: webhookParams,
  body: z.object({
    overlapHours: z.number().min(0).max(LONGEST_OVERLAP_HOURS).default(USUAL_OVERLAP_HOURS),
  }),
  bodyExample: { overlapHours: 24 },
  answers: {
    200: answer(
      { id: "Rahasia webhook berhasil diganti", en: "The webhook has a new secret" },
      webhookView.extend({ secret: z.string() }),
      { ...webhookExample, oldSecretUntil: "2026-11-23T04:30:00.000Z", secret: secretExample },
    ),
  },
  audit: { action: "webhook.rotate-secret", target: "webhookId" },
  errors: ["webhook_not_found"],
  async handle({ params: { id }, body }, call) {
    const { database, config } = call.services;
    await ownWebhook(call, id);
    const secret = newWebhookSecret();
    const sealed = seal(secret, config.webhookKey, id);
    await webhooks.rotateSecret(database, id, sealed, Math.round(body.overlapHours * 3_600));
    return { status: 200, data: { ...viewOf(call, await ownWebhook(call, id)), secret } };
  },
});

export const webhookRoutes: Route[] = [
  listWebhooks,
  createWebhook,
  getWebhook,
  changeWebhook,
  removeWebhook,
  rotateSecret,
];
