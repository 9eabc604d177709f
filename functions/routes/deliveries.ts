import * as z from "zod";
import * as deliveries from "../../shared/db/deliveries.ts";
import * as deliveryLog from "../../shared/db/delivery-log.ts";
import type { Webhook } from "../../shared/db/webhooks.ts";
import { ApiError } from "../../shared/errors.ts";
import { ownWebhook } from "../own-webhook.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { rowId } from "../schemas/row-id.ts";
import { deliveryExample, deliveryState, deliveryView, toDeliveryView, webhookParams } from "../schemas/webhook.ts";
import { wait } from "../wait.ts";

const BASE = "/api/webhooks";
const tag = "Webhooks";
const scope = "webhooks:write";
const MOST = 100;
const USUAL = 50;
/** Of one request; its answer says where to go on. */
const MOST_REPLAYED = 10_000;

/** Something is to be tried now, whatever was learned of the receiver. */
async function tryNow({ services: { database, deliveries: queue, log } }: Call, { webhookId }: Webhook) {
  await deliveries.endPause(database, webhookId);
  await queue.wake([webhookId]).catch((err: unknown) => log.warn({ err, webhookId }, "deliverers were not woken"));
}

const assertActive = ({ disabledAt }: Webhook) => {
  if (disabledAt) throw new ApiError("webhook_disabled");
};

const listDeliveries = route({
  name: "listDeliveries",
  method: "get",
  path: `${BASE}/:id/deliveries`,
  tag,
  scope: "webhooks:read",
  summary: "What was sent to a webhook, and what became of it",
  description:
    "Newest first, each with its tries. Ask again with `before` set to the last `deliveryId` while `hasMore` is true. `state=dead` are the dead letters. Kept for 30 days after they have ended.",
  params: webhookParams,
  query: z.object({
    state: deliveryState.optional(),
    before: z.coerce.number().int().min(1).default(Number.MAX_SAFE_INTEGER),
    limit: z.coerce.number().int().min(1).max(MOST).default(USUAL),
  }),
  answers: {
    200: answer(
      { id: "Daftar pengiriman", en: "The deliveries" },
      z.object({ deliveries: z.array(deliveryView), hasMore: z.boolean() }),
      { deliveries: [deliveryExample], hasMore: false },
    ),
  },
  errors: ["webhook_not_found"],
  async handle({ params: { id }, query: { state, before, limit } }, call) {
    await ownWebhook(call, id);
    const found = await deliveryLog.list(call.services.database, id, { state, before }, limit + 1);
    const page = found.slice(0, limit).map(toDeliveryView);
    return { status: 200, data: { deliveries: page, hasMore: found.length > limit } };
  },
});

const testWebhook = route({
  name: "testWebhook",
  method: "post",
  path: `${BASE}/:id/test`,
  tag,
  scope,
  summary: "Send a test to a webhook",
  description:
    "An event of type `webhook.test` goes the way of all others; the answer tells what the receiver said. 202 when that is not known in time: then the list of deliveries tells.",
  params: webhookParams,
  answers: {
    200: answer({ id: "Webhook telah dicoba", en: "The webhook was tried" }, deliveryView, {
      ...deliveryExample,
      type: "webhook.test",
      deviceId: null,
      sequence: null,
    }),
    202: answer({ id: "Percobaan sedang berjalan", en: "The test is under way" }, deliveryView, {
      ...deliveryExample,
      type: "webhook.test",
      deviceId: null,
      sequence: null,
      state: "pending",
      tries: 0,
      lastTry: null,
      earlierTries: [],
    }),
  },
  errors: ["webhook_not_found", "webhook_disabled"],
  async handle({ params: { id } }, call) {
    const { database, config } = call.services;
    const webhook = await ownWebhook(call, id);
    assertActive(webhook);
    const deliveryId = await deliveries.createTest(database, id);
    await tryNow(call, webhook);
    const look = async () => {
      const delivery = await deliveryLog.get(database, deliveryId);
      return delivery?.lastTry ? delivery : undefined;
    };
    const tried = await wait(look, config.syncWaitMs, call.isAbandoned);
    if (tried) return { status: 200, data: toDeliveryView(tried) };
    const untried = await deliveryLog.get(database, deliveryId);
    if (!untried) throw new ApiError("webhook_not_found");
    return { status: 202, data: toDeliveryView(untried) };
  },
});

const redeliver = route({
  name: "redeliver",
  method: "post",
  path: `${BASE}/deliveries/:id/redeliver`,
  tag,
  scope,
  summary: "Send an event again",
  description:
    "Of any delivery, also one that was taken or is dead: with the same `webhook-id`, at once, and as often as a new one. One that is being tried just now is left to that.",
  params: z.object({ id: rowId.meta({ examples: [4711] }) }),
  answers: {
    202: answer({ id: "Pengiriman akan diulang", en: "It is delivered again" }, deliveryView, {
      ...deliveryExample,
      state: "pending",
      tries: 0,
      nextTryAt: "2026-11-22T05:00:00.000Z",
    }),
  },
  errors: ["delivery_not_found", "webhook_disabled"],
  async handle({ params: { id } }, call) {
    const { database } = call.services;
    const delivery = await deliveryLog.get(database, id);
    if (!delivery) throw new ApiError("delivery_not_found");
    const webhook = await ownWebhook(call, delivery.webhookId).catch((error: unknown) => {
      throw error instanceof ApiError ? new ApiError("delivery_not_found") : error;
    });
    assertActive(webhook);
    await deliveries.redeliver(database, id);
    await tryNow(call, webhook);
    return { status: 202, data: toDeliveryView((await deliveryLog.get(database, id)) ?? delivery) };
  },
});

const replayEvents = route({
  name: "replayEvents",
  method: "post",
  path: `${BASE}/:id/replay`,
  tag,
  scope,
  summary: "Send all events of a time again",
  description: `Those that were recorded from \`from\` on and before \`to\` and that the webhook is for now, also if it did not exist then; each with the \`webhook-id\` that it has always had. At most ${MOST_REPLAYED}: when there are more, \`next\` is the \`from\` to go on with. What was erased, or is older than events are kept, is not among them.`,
  params: webhookParams,
  body: z.object({ from: z.iso.datetime({ offset: true }), to: z.iso.datetime({ offset: true }) }),
  bodyExample: { from: "2026-11-22T00:00:00Z", to: "2026-11-22T06:00:00Z" },
  answers: {
    202: answer(
      { id: "Kejadian akan dikirim ulang", en: "The events are delivered again" },
      z.object({ queued: z.int(), next: z.iso.datetime().nullable() }),
      { queued: 128, next: null },
    ),
  },
  errors: ["webhook_not_found", "webhook_disabled"],
  async handle({ params: { id }, body }, call) {
    const webhook = await ownWebhook(call, id);
    assertActive(webhook);
    const time = { from: new Date(body.from), to: new Date(body.to) };
    const { queued, next } = await deliveries.replay(call.services.database, webhook, time, MOST_REPLAYED);
    if (queued) await tryNow(call, webhook);
    return { status: 202, data: { queued, next: next?.toISOString() ?? null } };
  },
});

export const deliveryRoutes: Route[] = [listDeliveries, testWebhook, redeliver, replayEvents];
