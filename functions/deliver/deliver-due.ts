import { SpanKind } from "@opentelemetry/api";
import * as deliveries from "../../shared/db/deliveries.ts";
import type { Claim, ClaimedDelivery, Try } from "../../shared/db/deliveries.ts";
import type { Endpoint } from "../../shared/db/webhooks.ts";
import { LONGEST_WAKE_DELAY_SECONDS } from "../../shared/delivery-queue.ts";
import type { WebhookId } from "../../shared/ids.ts";
import { FAILING_SECONDS_TO_DISABLE, retryDelayMs } from "../../shared/retries.ts";
import { beginStep, traceIdOf } from "../../shared/trace.ts";
import { askChatbot } from "./ask-chatbot.ts";
import type { DeliverServices } from "./deliver-services.ts";
import { disableWebhook } from "./disable-webhook.ts";
import { postEvent } from "./post-event.ts";
import type { Posted } from "./post-event.ts";
import { receiverOf } from "./receiver.ts";

/** After so long the rest is left to the next wake: a function has an end. */
const ROUND_UNTIL_MS = 20_000;
const FAILING_MS_TO_DISABLE = FAILING_SECONDS_TO_DISABLE * 1_000;
const RENEW_EVERY_MS = 2_000;
const KEPT_ANSWER_BYTES = 1_000;
/** A receiver that asks for a pause gets one, but not for ever. */
const LONGEST_ASKED_PAUSE_MS = 3_600_000;

/**
 * Delivers what is due for a webhook, in rounds, until nothing is or time is up. May run several times at once, in any
 * number of processes, and be killed at any moment: what was claimed is tried again. Rejects when the database does not
 * answer.
 */
export async function deliverDue(services: DeliverServices, webhookId: WebhookId): Promise<void> {
  const { database } = services;
  const endsAt = Date.now() + ROUND_UNTIL_MS;
  let soonestMs = Infinity;
  while (Date.now() < endsAt) {
    const claimed = await deliveries.claim(database, webhookId);
    if (!("claim" in claimed)) return await wakeAgain(services, webhookId, soonestMs);
    const { pausedMs, tries } = await runRound(services, claimed);
    if (pausedMs > 0) return await wakeAgain(services, webhookId, pausedMs);
    for (const { waitMs } of tries) soonestMs = Math.min(soonestMs, waitMs ?? Infinity);
  }
  await wakeAgain(services, webhookId, 0);
}

async function runRound(services: DeliverServices, claimed: Claim) {
  const { database, log } = services;
  const { claim, endpoint } = claimed;
  const results = await renewing(services, claimed, () =>
    Promise.all(claimed.deliveries.map((delivery) => tryOne(services, endpoint, delivery))),
  );
  const tries = results.map((result) => result.outcome);
  await deliveries.recordTries(database, claim, tries);
  const counted = results.filter(({ posted }) => posted !== undefined);
  const succeeded = counted.filter(({ outcome }) => outcome.isDelivered).length;
  const failed = counted.length - succeeded;
  const { webhookId } = endpoint;
  const pausedMs = await deliveries.recordRound(database, endpoint, {
    succeeded,
    failed,
    pauseMs: Math.max(0, ...counted.map(({ posted }) => askedPauseMs(posted))),
  });
  const isGone = counted.some(({ posted }) => posted?.status === GONE);
  const { failingSince } = endpoint;
  const isHopeless = !succeeded && failingSince && Date.now() - failingSince.getTime() > FAILING_MS_TO_DISABLE;
  if (isGone || isHopeless) await disableWebhook(services, endpoint, isGone ? "gone" : "failing");
  log.info({ webhookId, kind: endpoint.kind, succeeded, failed, pausedMs: pausedMs || undefined }, "delivered");
  return { pausedMs, tries };
}

/** Does what may take longer than a claim lasts. One that cannot be renewed is another's to try as well. */
async function renewing<T>({ database, log }: DeliverServices, claimed: Claim, work: () => Promise<T>): Promise<T> {
  let renewal = Promise.resolve();
  const timer = setInterval(() => {
    renewal = renewal
      .then(() => deliveries.renew(database, claimed))
      .catch((err: unknown) => log.warn({ err }, "a claim was not renewed"));
  }, RENEW_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await renewal;
  }
}

const GONE = 410;
const OVERLOADED = [429, 503];
const askedPauseMs = (posted: Posted | undefined) =>
  posted?.status && OVERLOADED.includes(posted.status) ? Math.min(posted.retryAfterMs ?? 0, LONGEST_ASKED_PAUSE_MS) : 0;

/** `posted` is undefined when nothing was sent. */
type Result = { outcome: Try; posted: Posted | undefined };

async function tryOne(services: DeliverServices, endpoint: Endpoint, delivery: ClaimedDelivery): Promise<Result> {
  const { deliveryId, event, tries } = delivery;
  const end = (error: string): Result => ({
    outcome: { deliveryId, isDelivered: false, waitMs: undefined, ms: 0, status: null, answer: null, error },
    posted: undefined,
  });
  if (!event) return end("erased");
  const open = receiverOf(services, endpoint);
  if (!open) return end("no_endpoint");
  const step = beginStep("deliver", SpanKind.CLIENT, delivery.trace);
  const receiver = { ...open, headers: { ...open.headers, traceparent: step.trace } };
  const asked =
    endpoint.kind === "chatbot"
      ? await askChatbot(services, receiver, endpoint, event)
      : { posted: await postEvent(receiver.fetcher, receiver, event, KEPT_ANSWER_BYTES), error: null };
  step.end({ failed: asked.posted?.status == null || asked.posted.status >= 400 });
  if (!asked.posted) return end(asked.error);
  const { posted } = asked;
  const { status, ms } = posted;
  // Of an answer that breaks off after its status, the status counts.
  const isTaken = status !== null && status >= 200 && status < 300;
  const isDelivered = isTaken && !asked.mustRetry;
  const isLast = isDelivered || (status === GONE && endpoint.kind === "webhook");
  const waitMs = isLast ? undefined : retryDelayMs(endpoint.kind, tries, posted.retryAfterMs);
  const { webhookId } = endpoint;
  const error = asked.error ?? (isTaken ? null : (posted.refusal ?? "http_status"));
  const traceId = traceIdOf(step.trace);
  const sinceEventMs = Date.now() - event.occurredAt.getTime();
  services.log.info(
    { traceId, eventId: event.id, webhookId, tries, status, ms, sinceEventMs, error: error ?? undefined },
    "event posted",
  );
  // What a chatbot says is a message.
  const answer = endpoint.kind === "chatbot" ? null : posted.answer;
  return { outcome: { deliveryId, isDelivered, waitMs, ms, status, answer, error }, posted };
}

/** Only what is soon: the rest is for `sweep`. */
async function wakeAgain({ queue, log }: DeliverServices, webhookId: WebhookId, delayMs: number): Promise<void> {
  if (delayMs > LONGEST_WAKE_DELAY_SECONDS * 1000) return;
  await queue.wake([webhookId], delayMs).catch((err: unknown) => log.warn({ err, webhookId }, "not woken again"));
}
