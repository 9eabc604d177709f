import type { OwnedDevice } from "../../shared/db/devices.ts";
import type { Database } from "../../shared/db/pool.ts";
import * as rows from "../../shared/db/received-media.ts";
import { receivedObject } from "../../shared/media.ts";
import type { Storage } from "../../shared/storage.ts";

const BATCH = 500;

/** Deletes every file that came to a device. Safe to repeat. Rejects when the store or the database does not answer. */
export async function removeReceived(
  database: Database,
  media: Storage,
  owned: Pick<OwnedDevice, "deviceId" | "userId">,
): Promise<void> {
  for (;;) {
    const messageIds = await rows.listAll(database, owned, BATCH);
    if (!messageIds.length) return;
    await media.delete(messageIds.map((messageId) => receivedObject(owned, messageId)));
    await rows.remove(database, owned, messageIds);
  }
}
