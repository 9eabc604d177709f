/**
 * The API as a process on one machine. Under a launcher it says `{ type: "ready", url }` or
 * `{ type: "failed", message }`, and ends when the launcher does.
 */
import { ConfigError, loadApiConfig, unneededSettings } from "../shared/config.ts";
import type { ApiConfig } from "../shared/config.ts";
import { openDatabase } from "../shared/db/pool.ts";
import { openDeliveryQueue } from "../shared/delivery-queue.ts";
import { lazyGuardedFetch } from "../shared/lazy-guarded-fetch.ts";
import { createLog } from "../shared/log.ts";
import { openMediaFiles } from "../shared/media-files.ts";
import { openCommandQueues } from "../shared/queue.ts";
import { openScheduler } from "../shared/scheduler.ts";
import { openStorage } from "../shared/storage.ts";
import { wakeDeliverers } from "../shared/wake-deliverers.ts";
import { createApp } from "./app.ts";
import { allRoutes } from "./areas.ts";
import { startServer } from "./server.ts";
import { StreamPlaces } from "./stream-places.ts";
import { withObjects } from "./with-objects.ts";

async function fail(message: string): Promise<never> {
  process.stderr.write(`api: ${message}\n`);
  await new Promise<void>((resolve) => {
    if (process.send) process.send({ type: "failed", message }, undefined, undefined, () => resolve());
    else resolve();
  });
  return process.exit(1);
}

function reasonOf(error: unknown, config: ApiConfig | undefined): string {
  if (error instanceof ConfigError) return error.message;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const address = `${config?.bindAddress}:${config?.port}`;
  if (code === "EADDRINUSE") return `${address} is in use by another program: set DASHBOARD_PORT to a free port`;
  if (code === "EADDRNOTAVAIL" || code === "EACCES") return `${address} cannot be listened on (${code})`;
  throw error;
}

async function start() {
  let config: ApiConfig | undefined;
  try {
    config = loadApiConfig();
    const log = createLog("api", config.logLevel);
    const database = openDatabase(config.database);
    const queues = openCommandQueues(config.commandQueueUrls);
    const scheduler = openScheduler(config.scheduler);
    const deliveries = openDeliveryQueue(config.deliveryQueueUrl);
    database.onCommitted = wakeDeliverers(deliveries, log);
    const media = openStorage(config.mediaBucket);
    const files = openMediaFiles(config.mediaBucket);
    const guardedFetch = lazyGuardedFetch(config.allowedPrivateHosts);
    const closing = new AbortController();
    // A process that stays has time to load everything before it listens.
    await allRoutes(config);
    const services = { config, database, queues, scheduler, deliveries, media, files, guardedFetch, log };
    const app = createApp({ ...services, streams: new StreamPlaces(), closing: closing.signal });
    const server = await startServer(
      config.objectEndpoint ? withObjects(app, config.objectEndpoint, config) : app,
      config,
    );
    return { ...services, closing, server };
  } catch (error) {
    return await fail(reasonOf(error, config));
  }
}

const { log, database, queues, scheduler, deliveries, media, files, guardedFetch, closing, server } = await start();

async function stop(): Promise<void> {
  if (closing.signal.aborted) return;
  closing.abort();
  await server.close();
  queues.close();
  scheduler.close();
  deliveries.close();
  media.close();
  files.close();
  guardedFetch.close();
  await database.close();
  log.info("closed");
  process.exit(0);
}

process.on("SIGTERM", () => void stop());
if (process.send) {
  process.on("disconnect", () => void stop());
  process.on("SIGINT", () => undefined);
  process.send({ type: "ready", url: server.url });
} else {
  process.on("SIGINT", () => void stop());
}
const unneeded = unneededSettings();
if (unneeded.length > 0) log.info({ unneeded }, "settings that are no longer needed");
log.info({ url: server.url }, "listening");
