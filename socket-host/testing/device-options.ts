import type { Database } from "../../shared/db/pool.ts";
import { loadHostConfig } from "../../shared/config.ts";
import type { DeviceId, UserId } from "../../shared/ids.ts";
import { createLog } from "../../shared/log.ts";
import { openMediaFiles } from "../../shared/media-files.ts";
import { PageCache } from "../chat-store/page-cache.ts";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import type { DeviceStoreOptions } from "../device-store.ts";
import { openHostMedia } from "../media/host-media.ts";

type Given = { database: Database; deviceId: DeviceId; userId: UserId; environment?: Record<string, string> };

/** What a device needs of its host: nothing that it sends is recorded, and no lease can be raised. */
export const deviceOptions = ({ database, deviceId, userId, environment }: Given): DeviceStoreOptions => ({
  owned: { deviceId, userId, shard: 0, isWanted: true },
  epoch: 1,
  database,
  record: () => Promise.reject(new Error("not expected")),
  rule: () => Promise.resolve(false),
  storage: new MemoryStorage(),
  config: loadHostConfig({
    DATABASE_URL: "mysql://localhost/test",
    COMMAND_QUEUE_URLS: "http://localhost/queue",
    DELIVERY_QUEUE_URL: "http://localhost/deliveries",
    STATE_BUCKET: "state",
    MEDIA_BUCKET: "media",
    STATE_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64"),
    ...environment,
  }),
  pageCache: new PageCache(),
  media: openHostMedia(openMediaFiles("media")),
  log: createLog("test", "silent"),
  onOverflow: () => undefined,
  raiseEpoch: () => Promise.resolve(undefined),
});
