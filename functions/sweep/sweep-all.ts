import type { SweepConfig } from "../../shared/config.ts";
import * as commands from "../../shared/db/commands.ts";
import * as deliveries from "../../shared/db/deliveries.ts";
import type { Database } from "../../shared/db/pool.ts";
import type { DeliveryQueue } from "../../shared/delivery-queue.ts";
import { erasePayloads } from "../../shared/erase-payloads.ts";
import { forgetExpired } from "../../shared/forget-expired.ts";
import type { Log } from "../../shared/log.ts";
import { enforceRetention } from "../../shared/retention.ts";
import type { CommandQueues } from "../../shared/queue.ts";
import type { Scheduler } from "../../shared/scheduler.ts";
import type { Storage } from "../../shared/storage.ts";
import { sweepCommands } from "../../shared/sweep-commands.ts";
import { sweepSchedules } from "../../shared/sweep-schedules.ts";

export type SweepServices = {
  config: SweepConfig;
  database: Database;
  queues: CommandQueues;
  queue: Pick<DeliveryQueue, "wake">;
  scheduler: Scheduler;
  media: Storage;
  log: Log;
};

/** Webhooks that are woken, commands that are queued or ended, schedules that are armed, in one round. */
const AT_ONCE = 1_000;

/** What is done each minute, side by side with whoever else does it: each part is bounded, and repeatable at any moment. */
const PARTS: Record<string, (services: SweepServices) => Promise<unknown>> = {
  "wake deliverers": async ({ database, queue }) =>
    await queue.wake(await deliveries.listWebhooksToWake(database, AT_ONCE)),
  "give up deliveries": async ({ database }) => await deliveries.expire(database),
  "forget deliveries": async ({ database }) => await deliveries.removeOld(database),
  "forget deliveries of webhooks that are gone": async ({ database }) => await deliveries.removeOrphans(database),
  "queue commands": async (services) => await sweepCommands(services, AT_ONCE),
  "arm schedules": async (services) => await sweepSchedules(services, AT_ONCE),
  "expire commands": async ({ database }) => await commands.expire(database, AT_ONCE),
  "erase content that is not kept": async ({ database, config }) =>
    await erasePayloads(database, config.unkeptContentMinutes),
  "remove what is older than it is kept": async ({ database, media, config }) =>
    await enforceRetention({ database, media }, config.retention),
  "forget what has expired": async ({ database, config }) => await forgetExpired(database, config.auditRetentionDays),
};

/** One round: every part, also when an earlier one fails. @returns the names of those that failed */
export async function sweepAll(services: SweepServices): Promise<string[]> {
  const failed: string[] = [];
  for (const [part, run] of Object.entries(PARTS)) {
    try {
      await run(services);
    } catch (err) {
      services.log.error({ err, part }, "a part of the sweep failed");
      failed.push(part);
    }
  }
  return failed;
}
