import type { DeviceId } from "../ids.ts";
import type { MessageContent, MessageType } from "../message.ts";
import type { MessageStatus } from "./messages.ts";
import { parseJson, select } from "./pool.ts";
import type { Database } from "./pool.ts";

/** A message as it is stored. `content` is null when it was deleted for everyone. */
export type StoredMessage = {
  rowId: number;
  sessionId: number;
  deviceId: DeviceId;
  whatsappNumber: string;
  messageId: string;
  chat: string;
  sender: string;
  receiver: string;
  senderName: string | null;
  isOwn: boolean;
  type: MessageType;
  content: MessageContent | null;
  status: MessageStatus;
  sentAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
};

/** Which sessions the reader may see. */
export type Scope = "every session" | readonly number[];
/** From the first instant up to, and without, the second. */
export type Range = { from?: Date | undefined; to?: Date | undefined };
/** The place of a message in a list. */
export type Place = { sentAt: Date; rowId: number };
export type Order = "asc" | "desc";
/** What a list is of: all that the scope holds, or what matches any of the alternatives, no two of which match the same. */
export type Selection = { alternatives: "everything" | readonly Condition[]; range: Range; scope: Scope };
export type Condition = { sql: string; values: (string | number)[] };

/** Counts and numbered pages go so far: beyond it a page is found by the place of the one before. */
export const MAX_COUNTED = 100_000;
/**
 * So many sessions, and messages of them all, are merged for a page: each session has its own in order. Beyond that the
 * messages of the whole table are read in order, those of other sessions passed over.
 */
const MAX_SESSIONS_MERGED = 50;
const MAX_MERGED = 50_000;

/** The sessions as a condition on a column, without which nothing is read on behalf of anybody. */
export const within = (scope: Scope, column = "session_id"): Condition =>
  scope === "every session"
    ? { sql: "TRUE", values: [] }
    : { sql: `${column} IN (${scope.map(() => "?").join(",")})`, values: [...scope] };

/** A page of messages: by its number, or what comes after a place in the list. Equal times stand in the order they came. */
export async function list(
  database: Database,
  selection: Selection,
  order: Order,
  page: { limit: number } & ({ offset: number } | { after: Place }),
): Promise<StoredMessage[]> {
  if (!isPossible(selection)) return [];
  const offset = "offset" in page ? page.offset : 0;
  const ordered = `ORDER BY sent_at ${order}, row_id ${order}`;
  const bounds = `LIMIT ${Math.trunc(page.limit)} OFFSET ${Math.trunc(offset)}`;
  const after = "after" in page ? afterPlace(page.after, order) : undefined;
  const most = Math.trunc(offset + page.limit);
  const parts = partsOf(apart(selection, most), selection, after);
  // Of several alternatives each has its own order, and all that come into question are sorted once more.
  const ids =
    parts.length === 1
      ? `SELECT row_id FROM ${parts[0]?.table} WHERE ${parts[0]?.sql} ${ordered} ${bounds}`
      : `SELECT row_id FROM (${parts
          .map(({ sql, table }) => `(SELECT row_id, sent_at FROM ${table} WHERE ${sql} ${ordered} LIMIT ${most})`)
          .join(" UNION ALL ")}) found ${ordered} ${bounds}`;
  // First the ids, from indexes alone; then as many rows as are asked for.
  const sql = `SELECT m.row_id, m.session_id, s.device_id, s.whatsapp_number, m.message_id, m.chat, m.sender, m.receiver,
      m.sender_name, m.is_own, m.type, m.content, m.status, m.sent_at, m.edited_at, m.deleted_at
    FROM (${ids}) page
    JOIN messages m ON m.row_id = page.row_id
    JOIN whatsapp_sessions s ON s.session_id = m.session_id
    ORDER BY m.sent_at ${order}, m.row_id ${order}`;
  const rows = await select<Row>(
    database.pool,
    sql,
    parts.flatMap(({ values }) => values),
  );
  return rows.map(fromRow);
}

/** How many there are, at most `MAX_COUNTED`. */
export async function count(database: Database, selection: Selection): Promise<number> {
  if (!isPossible(selection)) return 0;
  const { alternatives } = selection;
  const parts = partsOf(alternatives === "everything" ? [EVERYTHING] : alternatives, selection, undefined);
  const values = parts.flatMap((part) => part.values);
  // To walk so far in an index is cheaper than to keep what is counted, as a bounded count does.
  const last = parts.map(({ sql }) => `(SELECT 1 FROM messages WHERE ${sql} LIMIT 1 OFFSET ${MAX_COUNTED - 1})`);
  if ((await select(database.pool, last.join(" UNION ALL "), values)).length) return MAX_COUNTED;
  const counts = parts.map(({ sql }) => `(SELECT COUNT(*) FROM messages WHERE ${sql})`);
  const [row] = await select<{ total: number }>(database.pool, `SELECT ${counts.join(" + ")} AS total`, values);
  return Math.min(row?.total ?? 0, MAX_COUNTED);
}

const isPossible = ({ scope, alternatives }: Selection) =>
  (alternatives === "everything" || alternatives.length > 0) && (scope === "every session" || scope.length > 0);

type Whole = { sql: string; values: (string | number | Date)[] };
type Part = Whole & { table: string };

const EVERYTHING: Condition = { sql: "TRUE", values: [] };
/** Read in order, where MySQL would rather sort everything. */
const IN_ORDER: Condition & { table: string } = { ...EVERYTHING, table: "messages FORCE INDEX (messages_age)" };

/** What is to be read for the first so many messages of a selection, each in an order of its own. */
function apart({ alternatives, scope }: Selection, most: number): readonly (Condition & { table?: string })[] {
  if (alternatives !== "everything") return alternatives;
  if (scope === "every session") return [IN_ORDER];
  const isMerged = scope.length <= MAX_SESSIONS_MERGED && scope.length * most <= MAX_MERGED;
  if (scope.length > 1 && !isMerged) return [IN_ORDER];
  return scope.map((sessionId) => ({ sql: "session_id = ?", values: [sessionId] }));
}

function partsOf(
  conditions: readonly (Condition & { table?: string })[],
  { range, scope }: Selection,
  after: Whole | undefined,
): Part[] {
  const time = inRange(range);
  const seen = within(scope);
  return conditions.map(({ sql, values, table = "messages" }) => {
    const all = [{ sql, values }, time, seen, ...(after ? [after] : [])];
    return {
      table,
      sql: all.map((one) => `(${one.sql})`).join(" AND "),
      values: all.flatMap((one) => one.values),
    };
  });
}

/** The time of sending as a condition. */
export function inRange({ from, to }: Range): Whole {
  const bounds = [
    ...(from ? [{ sql: "sent_at >= ?", at: from }] : []),
    ...(to ? [{ sql: "sent_at < ?", at: to }] : []),
  ];
  if (!bounds.length) return { sql: "TRUE", values: [] };
  return { sql: bounds.map(({ sql }) => sql).join(" AND "), values: bounds.map(({ at }) => at) };
}

function afterPlace({ sentAt, rowId }: Place, order: Order): Whole {
  const sign = order === "asc" ? ">" : "<";
  // The first part is what an index can begin at.
  const sql = `sent_at ${sign}= ? AND (sent_at ${sign} ? OR row_id ${sign} ?)`;
  return { sql, values: [sentAt, sentAt, rowId] };
}

type Row = {
  row_id: number;
  session_id: number;
  device_id: DeviceId;
  whatsapp_number: string;
  message_id: string;
  chat: string;
  sender: string;
  receiver: string;
  sender_name: string | null;
  is_own: number;
  type: MessageType;
  content: unknown;
  status: MessageStatus;
  sent_at: Date;
  edited_at: Date | null;
  deleted_at: Date | null;
};

const fromRow = (row: Row): StoredMessage => ({
  rowId: row.row_id,
  sessionId: row.session_id,
  deviceId: row.device_id,
  whatsappNumber: row.whatsapp_number,
  messageId: row.message_id,
  chat: row.chat,
  sender: row.sender,
  receiver: row.receiver,
  senderName: row.sender_name,
  isOwn: row.is_own === 1,
  type: row.type,
  content: parseJson(row.content) as MessageContent | null,
  status: row.status,
  sentAt: row.sent_at,
  editedAt: row.edited_at,
  deletedAt: row.deleted_at,
});
