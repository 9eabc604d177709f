import type { MessageType } from "../message.ts";
import { inRange, within } from "./message-lists.ts";
import type { Range, Scope } from "./message-lists.ts";
import { select } from "./pool.ts";
import type { Database } from "./pool.ts";

/** With whom a number has written: how often each way, and from when to when. */
export type Counterpart = { number: string; incoming: number; outgoing: number; firstAt: Date; lastAt: Date };

/**
 * The counterparts of a number, the latest first: groups as well, and each person once whose LID and phone number are
 * known to be one.
 * @param addresses all under which messages of the number may be stored
 */
export async function counterparts(
  database: Database,
  addresses: readonly string[],
  { range, scope }: { range: Range; scope: Scope },
  page: { limit: number; offset: number },
): Promise<{ counterparts: Counterpart[]; total: number }> {
  if (scope !== "every session" && !scope.length) return { counterparts: [], total: 0 };
  const seen = within(scope);
  const time = inRange(range);
  const marks = addresses.map(() => "?").join(",");
  const times = "MIN(sent_at) AS first_at, MAX(sent_at) AS last_at";
  const where = `(${seen.sql}) AND (${time.sql})`;
  // Joined and grouped once more: MariaDB 10.11 does not run a subquery in a derived table's columns a second time.
  const grouped = `SELECT COALESCE(MIN(l.phone), found.other) AS number, MAX(found.incoming) AS incoming,
      MAX(found.outgoing) AS outgoing, MIN(found.first_at) AS first_at, MAX(found.last_at) AS last_at
    FROM (
      (SELECT sender AS own, receiver AS other, 0 AS incoming, COUNT(*) AS outgoing, ${times} FROM messages
        WHERE sender IN (${marks}) AND ${where} GROUP BY sender, receiver)
      UNION ALL
      (SELECT receiver AS own, sender AS other, COUNT(*) AS incoming, 0 AS outgoing, ${times} FROM messages
        WHERE receiver IN (${marks}) AND sender NOT IN (${marks}) AND ${where} GROUP BY receiver, sender)
    ) found
    LEFT JOIN session_lids l ON l.lid = found.other AND ${within(scope, "l.session_id").sql}
    GROUP BY found.own, found.other, found.outgoing > 0`;
  const values = [
    ...addresses,
    ...seen.values,
    ...time.values,
    ...addresses,
    ...addresses,
    ...seen.values,
    ...time.values,
    ...seen.values,
  ];
  const [from, to] = [Math.trunc(page.offset), Math.trunc(page.offset + page.limit)];
  // The first row comes with every page, as it tells the total also beyond the end.
  const sql = `SELECT number, incoming, outgoing, firstAt, lastAt, place, total FROM (
      SELECT number, CAST(SUM(incoming) AS SIGNED) AS incoming, CAST(SUM(outgoing) AS SIGNED) AS outgoing,
        MIN(first_at) AS firstAt, MAX(last_at) AS lastAt, COUNT(*) OVER () AS total,
        ROW_NUMBER() OVER (ORDER BY MAX(last_at) DESC, number) AS place
      FROM (${grouped}) one GROUP BY number
    ) numbered WHERE place = 1 OR (place > ${from} AND place <= ${to}) ORDER BY place`;
  const rows = await select<Counterpart & { place: number; total: number }>(database.pool, sql, values);
  return { counterparts: rows.filter(({ place }) => place > from), total: rows[0]?.total ?? 0 };
}

/** Messages of one kind within one part of a time. */
export type Tally = { slot: number; isOwn: boolean; type: MessageType; messages: number };

/** What a session has sent and received, in slots of a length from the beginning of the time on. */
export async function tally(
  database: Database,
  sessionId: number,
  { from, to }: { from: Date; to: Date },
  slotSeconds: number,
): Promise<Tally[]> {
  const slot = `TIMESTAMPDIFF(SECOND, CAST(? AS DATETIME(3)), sent_at) DIV ${Math.trunc(slotSeconds)}`;
  const sql = `SELECT ${slot} AS slot, is_own, type, COUNT(*) AS messages FROM messages
    WHERE session_id = ? AND sent_at >= ? AND sent_at < ? GROUP BY slot, is_own, type`;
  type Row = { slot: number; is_own: number; type: MessageType; messages: number };
  const rows = await select<Row>(database.pool, sql, [from, sessionId, from, to]);
  return rows.map(({ is_own, ...row }) => ({ ...row, isOwn: is_own === 1 }));
}

/** All addresses under which messages of a person may be stored: of a phone number its LIDs, and the other way round. */
export async function addressesOf(database: Database, address: string, scope: Scope): Promise<string[]> {
  if (scope !== "every session" && !scope.length) return [address];
  const seen = within(scope);
  const sql = `SELECT DISTINCT lid, phone FROM session_lids WHERE (lid = ? OR phone = ?) AND ${seen.sql} LIMIT ${MAX_ADDRESSES}`;
  const rows = await select<{ lid: string; phone: string }>(database.pool, sql, [address, address, ...seen.values]);
  return [...new Set([address, ...rows.flatMap(({ lid, phone }) => [lid, phone])])];
}
/** A person has one number and one LID; after a change of number two. */
const MAX_ADDRESSES = 4;
