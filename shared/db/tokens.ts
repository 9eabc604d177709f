import * as z from "zod";
import { EVERY_SCOPE, SCOPES } from "../scopes.ts";
import type { GrantedScope } from "../scopes.ts";
import type { DeviceId, TokenId, UserId } from "../ids.ts";
import { execute, isDuplicate, parseJson, select } from "./pool.ts";
import type { Database } from "./pool.ts";
import type { Role } from "./users.ts";
import type { Viewer } from "./visible-devices.ts";

/** What a token may do: its scopes, and the only devices that it is for, null for all of its user's. */
export type Rights = { scopes: readonly GrantedScope[]; deviceIds: readonly DeviceId[] | null };

export type NewTokenRow = Rights & {
  tokenId: TokenId;
  userId: UserId;
  name: string;
  prefix: string;
  hash: Buffer;
  expiresAt: Date | null;
  /** The key that the client gave for the creation, and the hash of its request. */
  idempotency?: { key: string; fingerprint: Buffer };
};

export type TokenCaller = Viewer & { tokenId: TokenId; scopes: readonly GrantedScope[]; expiresAt: Date | null };

/** A token's use is noted at most this often: a busy token must not write a row with every request. */
const USE_NOTED_EVERY_SECONDS = 60;

const isGrantedScope = (text: string): text is GrantedScope =>
  text === EVERY_SCOPE || SCOPES.some((scope) => scope === text);
const deviceIdsColumn = z.array(z.string().transform((text) => text as DeviceId)).nullable();
/** A scope that this version does not know grants nothing. */
const scopesOf = (column: string) => column.split(" ").filter(isGrantedScope);
const deviceIdsOf = (column: unknown) => deviceIdsColumn.parse(parseJson(column));

/** False when the client has created a token under the same idempotency key: `getCreation` tells which. */
export async function create(database: Database, token: NewTokenRow): Promise<boolean> {
  const sql = `INSERT INTO tokens
    (token_id, user_id, name, prefix, hash, scopes, device_ids, expires_at, creation_key, creation_fingerprint)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  try {
    await execute(database.pool, sql, [
      token.tokenId,
      token.userId,
      token.name,
      token.prefix,
      token.hash,
      token.scopes.join(" "),
      token.deviceIds && JSON.stringify(token.deviceIds),
      token.expiresAt,
      token.idempotency?.key ?? null,
      token.idempotency?.fingerprint ?? null,
    ]);
    return true;
  } catch (error) {
    if (token.idempotency && isDuplicate(error)) return false;
    throw error;
  }
}

/**
 * Who calls with the token of this hash, and notes that it was used; undefined when there is none, it has expired or
 * was revoked, or its user is disabled.
 */
export async function findCaller(database: Database, hash: Buffer): Promise<TokenCaller | undefined> {
  const stale = `t.last_used_at IS NULL OR t.last_used_at < NOW(3) - INTERVAL ${USE_NOTED_EVERY_SECONDS} SECOND`;
  const sql = `SELECT t.token_id, t.user_id, t.scopes, t.device_ids, t.expires_at, u.role, (${stale}) AS is_stale
    FROM tokens t JOIN users u ON u.user_id = t.user_id
    WHERE t.hash = ? AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > NOW(3))
      AND u.disabled_at IS NULL`;
  const [row] = await select<CallerRow>(database.pool, sql, [hash]);
  if (!row) return undefined;
  if (row.is_stale === 1) {
    const touch = `UPDATE tokens t SET t.last_used_at = NOW(3) WHERE t.token_id = ? AND (${stale})`;
    await execute(database.pool, touch, [row.token_id]);
  }
  return {
    userId: row.user_id,
    role: row.role,
    tokenId: row.token_id,
    scopes: scopesOf(row.scopes),
    deviceIds: deviceIdsOf(row.device_ids),
    expiresAt: row.expires_at,
  };
}
type CallerRow = {
  token_id: TokenId;
  user_id: UserId;
  role: Role;
  scopes: string;
  device_ids: unknown;
  expires_at: Date | null;
  is_stale: number;
};

export type Token = Rights & {
  tokenId: TokenId;
  name: string;
  prefix: string;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
};

const COLUMNS = "token_id, name, prefix, scopes, device_ids, created_at, expires_at, last_used_at";
type Row = {
  token_id: TokenId;
  name: string;
  prefix: string;
  scopes: string;
  device_ids: unknown;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
};
const fromRow = (row: Row): Token => ({
  tokenId: row.token_id,
  name: row.name,
  prefix: row.prefix,
  scopes: scopesOf(row.scopes),
  deviceIds: deviceIdsOf(row.device_ids),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});

/** The user's tokens that were not revoked, expired ones too, oldest first. */
export async function list(database: Database, userId: UserId): Promise<Token[]> {
  const sql = `SELECT ${COLUMNS} FROM tokens WHERE user_id = ? AND revoked_at IS NULL ORDER BY created_at, token_id`;
  return (await select<Row>(database.pool, sql, [userId])).map(fromRow);
}

/** Undefined when there is none, it was revoked, or is another user's. */
export async function get(database: Database, userId: UserId, tokenId: TokenId): Promise<Token | undefined> {
  const sql = `SELECT ${COLUMNS} FROM tokens WHERE token_id = ? AND user_id = ? AND revoked_at IS NULL`;
  const [row] = await select<Row>(database.pool, sql, [tokenId, userId]);
  return row && fromRow(row);
}

/** The token that was created under an idempotency key, also if it was revoked since. */
export async function getCreation(
  database: Database,
  key: string,
): Promise<{ token: Token; fingerprint: Buffer } | undefined> {
  const sql = `SELECT ${COLUMNS}, creation_fingerprint FROM tokens WHERE creation_key = ?`;
  const [row] = await select<Row & { creation_fingerprint: Buffer }>(database.pool, sql, [key]);
  return row && { token: fromRow(row), fingerprint: row.creation_fingerprint };
}

/** Writes all that can be changed of a token of the user's. */
export async function update(
  database: Database,
  userId: UserId,
  { tokenId, name, scopes, deviceIds, expiresAt }: Pick<Token, "tokenId" | "name" | "expiresAt"> & Rights,
): Promise<void> {
  const sql = `UPDATE tokens SET name = ?, scopes = ?, device_ids = ?, expires_at = ? WHERE token_id = ? AND user_id = ?`;
  const devices = deviceIds && JSON.stringify(deviceIds);
  await execute(database.pool, sql, [name, scopes.join(" "), devices, expiresAt, tokenId, userId]);
}

/** False when there is none of the user's, or it was revoked before. */
export async function revoke(database: Database, userId: UserId, tokenId: TokenId): Promise<boolean> {
  const sql = "UPDATE tokens SET revoked_at = NOW(3) WHERE token_id = ? AND user_id = ? AND revoked_at IS NULL";
  return (await execute(database.pool, sql, [tokenId, userId])) > 0;
}

/** Tokens that were revoked so many days ago: nobody repeats their creation any more. @returns how many */
export async function removeRevoked(database: Database, days: number): Promise<number> {
  return await execute(database.pool, "DELETE FROM tokens WHERE revoked_at < NOW(3) - INTERVAL ? DAY", [days]);
}
