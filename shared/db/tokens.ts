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
