import type { DeviceId, MediaId, UserId } from "../ids.ts";
import type { StoredMedia } from "../media.ts";
import { execute, isDuplicate, select } from "./pool.ts";
import type { Database } from "./pool.ts";

/** A file that a client uploads by itself. `sha256` is null until it is sent for the first time. */
export type Media = {
  mediaId: MediaId;
  userId: UserId;
  deviceId: DeviceId;
  sha256: string | null;
  mimetype: string;
  sizeBytes: number;
  fileName: string | null;
  fingerprint: Buffer | null;
  expiresAt: Date;
};
type NewMedia = Pick<Media, "mediaId" | "userId" | "deviceId" | "mimetype" | "sizeBytes" | "fileName"> & {
  idempotency?: { key: string; fingerprint: Buffer };
};

/** Less than what the bucket keeps (infra/storage.ts, `media/`): whoever has the row finds the file. */
const KEPT_DAYS = 14;

const COLUMNS = `media_id AS mediaId, user_id AS userId, device_id AS deviceId, sha256, mimetype,
  size_bytes AS sizeBytes, file_name AS fileName, fingerprint, expires_at AS expiresAt`;

/** False when the user has used the idempotency key before. */
export async function create(database: Database, media: NewMedia): Promise<boolean> {
  const { mediaId, userId, deviceId, mimetype, sizeBytes, fileName, idempotency } = media;
  const sql = `INSERT INTO media
      (media_id, user_id, device_id, mimetype, size_bytes, file_name, idempotency_key, fingerprint, expires_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, NOW(3) + INTERVAL ${KEPT_DAYS} DAY)`;
  const once = [idempotency?.key ?? null, idempotency?.fingerprint ?? null];
  try {
    await execute(database.pool, sql, [mediaId, userId, deviceId, mimetype, sizeBytes, fileName, ...once]);
    return true;
  } catch (error) {
    if (idempotency && isDuplicate(error)) return false;
    throw error;
  }
}

/** Undefined when it has expired, too. */
export async function get(database: Database, mediaId: MediaId): Promise<Media | undefined> {
  const sql = `SELECT ${COLUMNS} FROM media WHERE media_id = ? AND expires_at > NOW(3)`;
  return (await select<Media>(database.pool, sql, [mediaId]))[0];
}

export async function getByIdempotencyKey(database: Database, userId: UserId, key: string): Promise<Media | undefined> {
  const sql = `SELECT ${COLUMNS} FROM media WHERE user_id = ? AND idempotency_key = ?`;
  return (await select<Media>(database.pool, sql, [userId, key]))[0];
}

/** The file lies under its hash now. */
export async function setContent(database: Database, mediaId: MediaId, content: StoredMedia): Promise<void> {
  const sql = `UPDATE media SET sha256 = ?, mimetype = ?, size_bytes = ?,
    expires_at = NOW(3) + INTERVAL ${KEPT_DAYS} DAY WHERE media_id = ?`;
  await execute(database.pool, sql, [content.sha256, content.mimetype, content.sizeBytes, mediaId]);
}

export async function removeExpired(database: Database): Promise<void> {
  await execute(database.pool, "DELETE FROM media WHERE expires_at <= NOW(3) LIMIT 10000");
}
