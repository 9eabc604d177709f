import { loadHostConfig } from "../shared/config.ts";
import { openDatabase } from "../shared/db/pool.ts";
import { openDeliveryQueue } from "../shared/delivery-queue.ts";
import { newHostId } from "../shared/ids.ts";
import { createLog } from "../shared/log.ts";
import { openMediaFiles } from "../shared/media-files.ts";
import { openCommandQueues } from "../shared/queue.ts";
import { openStorage } from "../shared/storage.ts";
import { wakeDeliverers } from "../shared/wake-deliverers.ts";
import { startHealthServer } from "./health-server.ts";
import { Host } from "./host.ts";
import { metricsText } from "./metrics.ts";
import { startWatchdog } from "./watchdog.ts";
import { trustRoot } from "./whatsapp/trust.ts";

/** One to renew leases, one to take some meanwhile. */
const LEASE_CONNECTIONS = 2;
/** Less than a lease lasts: when a frozen host's shards are taken over, its locks are gone. */
const ABANDONED_AFTER_SECONDS = 10;

/** The socket-host process. Ends with code 0 after a hand-over, 1 when it could not start. */
async function main(): Promise<void> {
  const config = loadHostConfig();
  const hostId = config.hostId ?? newHostId();
  const log = createLog("socket-host", config.logLevel).child({ hostId });
  if (config.whatsapp.trustRoot) trustRoot(config.whatsapp.trustRoot);
  const database = openDatabase(config.database, ABANDONED_AFTER_SECONDS);
  const leaseDatabase = openDatabase({ ...config.database, poolSize: LEASE_CONNECTIONS }, ABANDONED_AFTER_SECONDS);
  const ruleDatabase = openDatabase({ ...config.database, poolSize: 1 }, ABANDONED_AFTER_SECONDS, 1);
  const queues = openCommandQueues(config.commandQueueUrls);
  const deliveryQueue = openDeliveryQueue(config.deliveryQueueUrl);
  database.onCommitted = wakeDeliverers(deliveryQueue, log);
  const storage = openStorage(config.stateBucket);
  const media = openStorage(config.mediaBucket);
  const files = openMediaFiles(config.mediaBucket);
  await storage.selfTest();
  const watchdog = startWatchdog();
  const databases = { database, leaseDatabase, ruleDatabase };
  const host = new Host({ hostId, config, ...databases, queues, storage, media, files, watchdog, log });

  // Baileys leaves promises unattended, such as a stanza that it answers on a socket that has just closed. One device's
  // must not end all others.
  process.on("unhandledRejection", (err) => log.error({ err }, "unattended failure"));

  let isStopping = false;
  const stop = async (why: string) => {
    if (isStopping) return;
    isStopping = true;
    log.info({ why }, "stopping");
    await host.stop();
    queues.close();
    deliveryQueue.close();
    storage.close();
    media.close();
    files.close();
    await Promise.all(Object.values(databases).map((one) => one.close()));
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop("SIGTERM"));
  process.on("SIGINT", () => void (process.send ? undefined : stop("SIGINT")));
  // The process that started this one is gone: nobody would restart it or stop it.
  process.on("disconnect", () => void stop("the parent process ended"));

  await host.start();
  const report = () => ({ hostId, ...host.load });
  const healthPort =
    config.healthPort === undefined
      ? undefined
      : await startHealthServer(
          config.healthPort,
          report,
          metricsText(() => host.load),
        );
  log.info({ healthPort }, "ready");
  process.send?.({ type: "ready", hostId });
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.send?.({ type: "failed", message });
  process.stderr.write(`socket-host: ${message}\n`);
  process.exitCode = 1;
  process.disconnect?.();
});
