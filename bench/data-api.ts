import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { startStack } from "../local/stack.ts";
import type { Stack } from "../local/stack.ts";
import { percentile } from "./support/percentile.ts";
import { report } from "./support/report.ts";

const ROWS = 1_000_000;
const SESSIONS = 20;
const COUNTERPARTS = 500;
/** Between two messages of all sessions: a million lie in a year, less than a month. */
const SECONDS_BETWEEN = 30;
const REQUESTS = 20;
const FIRST = "2026-01-01 00:00:00";

const ownNumber = (session: number) => `6281${String(session).padStart(8, "0")}`;
const otherNumber = (n: number) => `6282${String(n).padStart(8, "0")}`;
const GROUP = "120363041234567890@g.us";

/** Every list and count of the data API over a million messages: at the first page, deep in, and by cursor. */
async function dataApi(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-bench-"));
  const stack = await startStack({ dataDir, simulator: true, environment: { RATE_LIMIT_PER_MINUTE: "0" } });
  const database = await mysql.createConnection(stack.databaseUrl);
  try {
    await fill(database);
    const figures: Record<string, unknown> = {};
    for (const [name, path] of Object.entries(routes)) figures[name] = await measure(stack, path);
    await report("data-api", { rows: ROWS, sessions: SESSIONS, requests: REQUESTS, ms: figures });
  } finally {
    await database.end();
    await stack.dispose();
    await rm(dataDir, { recursive: true, force: true });
  }
}

type Query = { page?: number; pageSize?: number };
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

async function measure(stack: Stack, path: (query: Query) => string) {
  const p95 = async (query: Query) => {
    const times: number[] = [];
    for (let n = 0; n < REQUESTS; n++) times.push(await timed(stack, path(query)));
    return Math.round(percentile(times, 0.95));
  };
  await timed(stack, path({}));
  return {
    p95Page1: await p95({ page: 1 }),
    p95Page1000: await p95({ page: 1_000 }),
    p95Page1000Of100: await p95({ page: 1_000, pageSize: 100 }),
  };
}

async function timed(stack: Stack, path: string): Promise<number> {
  const begin = performance.now();
  const response = await fetch(`${stack.apiUrl}/api/whatsapp${path}`, {
    headers: { authorization: `Bearer ${stack.token}` },
  });
  await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return performance.now() - begin;
}

/** As a year of chats would have filled it: every session writes with every counterpart, a tenth of it in a group. */
async function fill(database: mysql.Connection): Promise<void> {
  const [[owner]] = await database.query<mysql.RowDataPacket[]>("SELECT user_id FROM users LIMIT 1");
  for (let session = 0; session < SESSIONS; session++) {
    const link = [owner?.["user_id"], `shop-${session}`, ownNumber(session)];
    await database.query("INSERT INTO whatsapp_sessions (user_id, device_id, whatsapp_number) VALUES (?)", [link]);
  }
  const digits =
    "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
  const thousand = `SELECT a.d + 10 * b.d + 100 * c.d AS n FROM ${digits} a, ${digits} b, ${digits} c`;
  const size = 100_000;
  const own = `CONCAT('6281', LPAD(n MOD ${SESSIONS}, 8, '0'))`;
  const other = `CONCAT('6282', LPAD((n DIV ${SESSIONS}) MOD ${COUNTERPARTS}, 8, '0'))`;
  const isOwn = "(n DIV 7) MOD 2";
  const isGroup = "n MOD 10 = 3";
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
