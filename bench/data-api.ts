import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { startStack } from "../local/stack.ts";
import type { Stack } from "../local/stack.ts";
import { percentile } from "./support/percentile.ts";
import { report } from "./support/report.ts";

/** Fewer by `DATA_ROWS`, a multiple of 100,000. */
const ROWS = Number(process.env["DATA_ROWS"] ?? 1_000_000);
const SESSIONS = 20;
const COUNTERPARTS = 500;
/** Between two messages of all sessions: a million lie in a year, less than a month. */
const SECONDS_BETWEEN = 30;
const REQUESTS = 20;
const FIRST = "2026-01-01 00:00:00";

const ownNumber = (session: number) => `6281${String(session).padStart(8, "0")}`;
const otherNumber = (n: number) => `6282${String(n).padStart(8, "0")}`;
const GROUP = "120363041234567890@g.us";

/**
 * Every list and count of the data API over a million messages, as the user of 20 sessions who has them all: at the first
 * page, deep in, and by cursor; how long each takes, and how many rows the database reads for it.
 */
async function dataApi(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-bench-"));
  const stack = await startStack({ dataDir, simulator: true, environment: { RATE_LIMIT_PER_MINUTE: "0" } });
  const database = await mysql.createConnection(stack.databaseUrl);
  try {
    const { userId, cookie } = await createUser(stack);
    await fill(database, userId);
    const bench = { stack, database, cookie };
    const figures: Record<string, unknown> = {};
    for (const [name, path] of Object.entries(routes)) figures[name] = await measure(bench, path);
    await report("data-api", { rows: ROWS, sessions: SESSIONS, requests: REQUESTS, figures });
  } finally {
    await database.end();
    await stack.dispose();
    await rm(dataDir, { recursive: true, force: true });
  }
}

type Bench = { stack: Stack; database: mysql.Connection; cookie: string };

/** Somebody who sees their own sessions: an administrator sees every session, which is less to look for. */
async function createUser({ apiUrl, token }: Stack): Promise<{ userId: string; cookie: string }> {
  const body = JSON.stringify({ username: "reader", password: "a password of the bench" });
  const post = async (path: string, headers: Record<string, string>) => {
    const response = await fetch(`${apiUrl}/api/auth${path}`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const created = (await (await post("/users", { authorization: `Bearer ${token}` })).json()) as {
    data: { userId: string };
  };
  const login = await post("/login", {});
  return { userId: created.data.userId, cookie: login.headers.get("set-cookie")?.split(";")[0] ?? "" };
}

type Query = { page?: number; pageSize?: number; cursor?: string };
const any = (count: number) => Math.floor(Math.random() * count);
const anyDay = () => `2026-${String(1 + any(11)).padStart(2, "0")}-${String(1 + any(28)).padStart(2, "0")}`;
const paged = (path: string) => (query: Query) =>
  `${path}${path.includes("?") ? "&" : "?"}${new URLSearchParams(query as Record<string, string>).toString()}`;

/** Each asks for another session, number or day every time. */
const routes: Record<string, (query: Query) => string> = {
  "message/stats": (query) => paged(`/message/stats?session_id=${1 + any(SESSIONS)}&date=${anyDay()}`)(query),
  "message/details": (query) => paged(`/message/details?session_id=${1 + any(SESSIONS)}`)(query),
  "messages/by-number": (query) => paged(`/messages/by-number/${ownNumber(any(SESSIONS))}`)(query),
  "history/filtered": (query) => paged("/history/filtered")(query),
  "history/filtered by sender": (query) =>
    paged(`/history/filtered?sender_number=${ownNumber(any(SESSIONS))}&start_date=2026-02-01`)(query),
  conversation: (query) => paged(`/conversation/${ownNumber(any(SESSIONS))}/${otherNumber(any(COUNTERPARTS))}`)(query),
  "messages/number, own": (query) => paged(`/messages/number/${ownNumber(any(SESSIONS))}`)(query),
  "messages/number, of others": (query) => paged(`/messages/number/${otherNumber(any(COUNTERPARTS))}`)(query),
  "messages/number, a group": (query) => paged(`/messages/number/${encodeURIComponent(GROUP)}`)(query),
  "messages/number/mapping": (query) => paged(`/messages/number/${ownNumber(any(SESSIONS))}/mapping`)(query),
  "messages/number/contacts": (query) => paged(`/messages/number/${ownNumber(any(SESSIONS))}/contacts`)(query),
};

async function measure(bench: Bench, path: (query: Query) => string) {
  const p95 = async (query: Query) => {
    const times: number[] = [];
    const rows: number[] = [];
    for (let n = 0; n < REQUESTS; n++) {
      const before = await rowsRead(bench.database);
      times.push(await timed(bench, path(query)));
      rows.push((await rowsRead(bench.database)) - before);
    }
    return { p95Ms: Math.round(percentile(times, 0.95)), medianRows: percentile(rows, 0.5) };
  };
  await timed(bench, path({}));
  return {
    page1: await p95({ page: 1 }),
    page1000: await p95({ page: 1_000 }),
    page1000Of100: await p95({ page: 1_000, pageSize: 100 }),
    cursor: await p95({ cursor: `${Date.parse(`${FIRST}Z`) + (ROWS / 2) * SECONDS_BETWEEN * 1_000}-0` }),
  };
}

/** Entries of indexes and rows that the whole server has read until now: the hosts' own few are among them. */
async function rowsRead(database: mysql.Connection): Promise<number> {
  const [counters] = await database.query<mysql.RowDataPacket[]>(
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Handler_read_key','Handler_read_next','Handler_read_prev','Handler_read_first','Handler_read_last')",
  );
  return counters.reduce((sum, { Value }) => sum + Number(Value), 0);
}

async function timed({ stack, cookie }: Bench, path: string): Promise<number> {
  const begin = performance.now();
  const response = await fetch(`${stack.apiUrl}/api/whatsapp${path}`, { headers: { cookie } });
  await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return performance.now() - begin;
}

/** As a year of chats would have filled it: every session writes with every counterpart, a tenth of it in a group. */
async function fill(database: mysql.Connection, userId: string): Promise<void> {
  for (let session = 0; session < SESSIONS; session++) {
    const link = [userId, `shop-${session}`, ownNumber(session)];
    await database.query("INSERT INTO whatsapp_sessions (user_id, device_id, whatsapp_number) VALUES (?)", [link]);
  }
  const digits =
    "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
  const thousand = `SELECT a.d + 10 * b.d + 100 * c.d AS n FROM ${digits} a, ${digits} b, ${digits} c`;
  const size = 100_000;
  const own = `CONCAT('6281', LPAD(n MOD ${SESSIONS}, 8, '0'))`;
  const other = `CONCAT('6282', LPAD((n DIV ${SESSIONS}) MOD ${COUNTERPARTS}, 8, '0'))`;
  const isOwn = "(n DIV 7) MOD 2";
  const isGroup = `(n DIV ${SESSIONS}) MOD 10 = 3`;
  for (let from = 0; from < ROWS; from += size) {
    const numbers = `SELECT ${from} + t.n + 1000 * h.n AS n FROM (${thousand}) t, (${thousand}) h WHERE h.n < ${size / 1_000}`;
    await database.query(`INSERT INTO messages
        (session_id, message_id, chat, sender, receiver, is_own, type, content, status, sent_at)
      SELECT 1 + n MOD ${SESSIONS}, CONCAT('3EB0', n), IF(${isGroup}, '${GROUP}', CONCAT(${other}, '@s.whatsapp.net')),
        IF(${isOwn}, ${own}, ${other}), IF(${isGroup}, '${GROUP}', IF(${isOwn}, ${other}, ${own})), ${isOwn},
        IF(n MOD 5, 'text', 'image'), CONCAT('{"messageType":"text","text":"', REPEAT('pesan ', 10), n, '"}'), 'sent',
        '${FIRST}' + INTERVAL n * ${SECONDS_BETWEEN} SECOND
      FROM (${numbers}) numbers`);
  }
  await database.query("ANALYZE TABLE messages");
}

await dataApi();
