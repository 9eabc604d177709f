/**
 * The deliver function and the sweep as one process on one machine. Under a launcher it says `{ type: "ready" }` or
 * `{ type: "failed", message }`, and ends when the launcher does.
 */
import { loadDeliverConfig, loadSweepConfig } from "../shared/config.ts";
import { CLAIM_SECONDS } from "../shared/db/deliveries.ts";
import type { WebhookId } from "../shared/ids.ts";
import { deliverDue } from "./deliver/deliver-due.ts";
import { openDeliverServices } from "./deliver/open-services.ts";
import { openSweepServices } from "./sweep/open-services.ts";
import { sweepAll } from "./sweep/sweep-all.ts";

/** Webhooks that are delivered to at a time: so many may be as slow as they like. */
const MOST_WEBHOOKS = 500;
/** What was lost is found so soon; for the rest of the sweep it is often enough as well. */
const SWEEP_EVERY_MS = 20_000;
const RETRY_MS = 1_000;
const CLAIM_MS = CLAIM_SECONDS * 1_000;

const stopping = new AbortController();
const after = (ms: number) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    stopping.signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
  });

async function start() {
  try {
    const deliver = openDeliverServices(loadDeliverConfig());
    const sweep = openSweepServices(loadSweepConfig());
    await deliver.queue.check();
    return { deliver, sweep };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.send?.({ type: "failed", message });
    process.stderr.write(`deliverer: ${message}\n`);
    return process.exit(1);
  }
}

const { deliver, sweep } = await start();
const { services, queue } = deliver;

/** Under way, and whether something came for the webhook meanwhile. */
const running = new Map<WebhookId, { isAskedAgain: boolean }>();

/** One run for a webhook at a time: those who claim beside each other only wait for each other. */
async function run(webhookId: WebhookId): Promise<void> {
  const before = running.get(webhookId);
  if (before) {
    before.isAskedAgain = true;
    return;
  }
  const state = { isAskedAgain: true };
  running.set(webhookId, state);
  try {
    while (state.isAskedAgain && !stopping.signal.aborted) {
      state.isAskedAgain = false;
      await deliverDue(services, webhookId);
    }
  } finally {
    running.delete(webhookId);
  }
}

async function takeWakes(): Promise<void> {
  while (!stopping.signal.aborted) {
    if (running.size >= MOST_WEBHOOKS) {
      await after(RETRY_MS);
      continue;
    }
    try {
      for (const { handle, webhookId } of await queue.receive(stopping.signal)) {
        const done = webhookId ? run(webhookId) : Promise.resolve();
        // Of one that fails the message stays, and comes again.
        done
          .then(() => queue.delete([handle]))
          .catch((err: unknown) => services.log.error({ err, webhookId }, "not delivered"));
      }
    } catch (err) {
      if (stopping.signal.aborted) return;
      services.log.error({ err }, "the queue of deliveries does not answer");
      await after(RETRY_MS);
    }
  }
}

async function sweepNowAndThen(): Promise<void> {
  // The second time soon: what a process that died had under way is anybody's by then.
  for (let pauseMs = CLAIM_MS; !stopping.signal.aborted; pauseMs = SWEEP_EVERY_MS) {
    await sweepAll(sweep.services);
    await after(pauseMs);
  }
}

async function stop(): Promise<void> {
  if (stopping.signal.aborted) return;
  stopping.abort();
  await loops;
  await Promise.all([deliver.close(), sweep.close()]);
  process.exit(0);
}

process.on("SIGTERM", () => void stop());
if (process.send) {
  process.on("disconnect", () => void stop());
  process.on("SIGINT", () => undefined);
} else {
  process.on("SIGINT", () => void stop());
}
const loops = Promise.all([takeWakes(), sweepNowAndThen()]);
process.send?.({ type: "ready" });
services.log.info("ready");
