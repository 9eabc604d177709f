import * as devices from "../shared/db/devices.ts";
import type { OwnedDevice } from "../shared/db/devices.ts";
import type { Database } from "../shared/db/pool.ts";
import { dispatch } from "../shared/dispatch.ts";
import { DEVICE_ID_PATTERN } from "../shared/ids.ts";
import type { DeviceId, UserId } from "../shared/ids.ts";
import type { CommandQueues } from "../shared/queue.ts";
import type { Storage } from "../shared/storage.ts";
import { statePrefix } from "./device-life.ts";
import { inTurns } from "./device-state/log-objects.ts";
import { peekCredentials } from "./device-state/peek.ts";
import { isLinked, newCredentials } from "./whatsapp/credentials.ts";

export type RestoreServices = { database: Database; queues: CommandQueues; storage: Storage; key: Buffer };

/**
 * What became of one stored session. `isRestored`: it is being connected; `isNew`: its device was registered for that.
 * `reason`, where it was not: `already_connected`, `disconnected` (somebody wanted it so), `no_session`,
 * `state_unreadable`, `device_exists` (the id is another user's by now).
 */
export type RestoredSession = { deviceId: DeviceId; isRestored: boolean; isNew: boolean; reason: string | null };

/** So many are looked at; each is read whole. */
const MAX_SESSIONS = 1_000;

/**
 * Looks for sessions that are stored for a user, registers devices that are missing, and connects what should be
 * connected, or was asked for by name. Reads only: the host of each device takes its state over when it connects.
 * Rejects when the store or the database does not answer.
 * @param named the only devices to look for; undefined ids among them are answered as `no_session`
 */
export async function restoreSessions(
  services: RestoreServices,
  userId: UserId,
  named: readonly string[] | null,
): Promise<RestoredSession[]> {
  const stored = named ?? (await storedIds(services.storage, userId));
  const ids = stored.filter((id) => DEVICE_ID_PATTERN.test(id)).slice(0, MAX_SESSIONS) as DeviceId[];
  return await inTurns(ids, (deviceId) => restoreOne(services, userId, deviceId, named?.length === 1));
}

/** A session that never had a snapshot has nothing but log entries. */
async function storedIds(storage: Storage, userId: UserId): Promise<string[]> {
  const places = [`devices/${userId}/`, `log/devices/${userId}/`];
  const found = await Promise.all(places.map((prefix) => storage.listFolders(prefix)));
  return [...new Set(found.flat())].toSorted();
}

async function restoreOne(
  { database, queues, storage, key }: RestoreServices,
  userId: UserId,
  deviceId: DeviceId,
  isAskedFor: boolean,
): Promise<RestoredSession> {
  const not = (reason: string): RestoredSession => ({ deviceId, isRestored: false, isNew: false, reason });
  const owned = await devices.getOwned(database, deviceId);
  if (owned && owned.userId !== userId) return not("device_exists");
  const device = await devices.get(database, { userId, role: "user", deviceIds: null }, deviceId);
  if (device?.isConnected) return not("already_connected");
  if (device && device.desired === "disconnected" && !isAskedFor) return not("disconnected");
  const prefix = statePrefix({ userId, deviceId });
  const creds = await peekCredentials({ storage, prefix, key }, newCredentials);
  if (creds === "unreadable") return not("state_unreadable");
  if (!isLinked(creds)) return not("no_session");
  const target = owned ?? (await register(database, queues, { deviceId, userId }));
  if (!target) return not("device_exists");
  await dispatch({ database, queues }, target, { kind: "connect", isInLine: true });
  return { deviceId, isRestored: true, isNew: !owned, reason: null };
}

/** Undefined when somebody else was faster. */
async function register(
  database: Database,
  queues: CommandQueues,
  device: { deviceId: DeviceId; userId: UserId },
): Promise<OwnedDevice | undefined> {
  await devices.create(database, { ...device, deviceName: null }, queues.shards);
  const owned = await devices.getOwned(database, device.deviceId);
  return owned?.userId === device.userId ? owned : undefined;
}
