import type { UserId, WebhookId } from "../ids.ts";
import type { Allowance } from "./allowed-numbers.ts";
import { execute, isDuplicate, select } from "./pool.ts";
import type { Database } from "./pool.ts";
import { visibleSessions } from "./sessions.ts";
import type { Session } from "./sessions.ts";
import type { Viewer } from "./visible-devices.ts";

/** Whose messages to a session's number are answered by the endpoint of that number, while it is `aktif`. */
export type Chatbot = {
  chatbotId: number;
  userId: UserId;
  sessionId: number;
  whatsappNumber: string;
  senderNumber: string;
  status: Allowance;
  /** Null: the installation's own. */
  endpointUrl: string | null;
  createdAt: Date;
  updatedAt: Date;
};
export type NewChatbot = Pick<Chatbot, "senderNumber" | "status"> & {
  session: Session;
  idempotency?: { key: string; fingerprint: Buffer };
};

const COLUMNS = `c.chatbot_id AS chatbotId, c.user_id AS userId, c.session_id AS sessionId,
  c.whatsapp_number AS whatsappNumber, c.sender_number AS senderNumber, c.status, w.url AS endpointUrl,
  c.created_at AS createdAt, c.updated_at AS updatedAt`;
const FROM = `FROM chatbots c JOIN whatsapp_sessions s ON s.session_id = c.session_id
  LEFT JOIN webhooks w ON w.user_id = c.user_id AND w.whatsapp_number = c.whatsapp_number`;

/** Those that the viewer may see, oldest first. @param number only those of this number of one's own */
export async function list(
  database: Database,
  viewer: Viewer,
  number: string | undefined,
  page: { limit: number; offset: number },
): Promise<{ chatbots: Chatbot[]; total: number }> {
  const visible = visibleSessions(viewer);
  const where = `WHERE ${visible.sql} ${number === undefined ? "" : "AND c.whatsapp_number = ?"}`;
  const values = [...visible.values, ...(number === undefined ? [] : [number])];
  const [count] = await select<{ total: number }>(database.pool, `SELECT COUNT(*) AS total ${FROM} ${where}`, values);
  const sql = `SELECT ${COLUMNS} ${FROM} ${where} ORDER BY c.chatbot_id
    LIMIT ${Math.trunc(page.limit)} OFFSET ${Math.trunc(page.offset)}`;
  return { chatbots: await select<Chatbot>(database.pool, sql, values), total: count?.total ?? 0 };
}

/** Undefined when there is none that the viewer may see. */
export async function get(database: Database, viewer: Viewer, chatbotId: number): Promise<Chatbot | undefined> {
  const visible = visibleSessions(viewer);
  const sql = `SELECT ${COLUMNS} ${FROM} WHERE c.chatbot_id = ? AND ${visible.sql}`;
  const [row] = await select<Chatbot>(database.pool, sql, [chatbotId, ...visible.values]);
  return row;
}

/** That of a sender on a session, or what was created under an idempotency key. */
export async function find(
  database: Database,
  by: { sessionId: number; senderNumber: string } | { key: string },
): Promise<(Chatbot & { fingerprint: Buffer | null }) | undefined> {
  const [where, values] =
    "key" in by
      ? ["c.creation_key = ?", [by.key]]
      : ["c.session_id = ? AND c.sender_number = ?", [by.sessionId, by.senderNumber]];
  const sql = `SELECT ${COLUMNS}, c.creation_fingerprint AS fingerprint ${FROM} WHERE ${where}`;
  const [row] = await select<Chatbot & { fingerprint: Buffer | null }>(database.pool, sql, values);
  return row;
}

/** False when the sender has one on the session, or the idempotency key was used. */
export async function create(database: Database, chatbot: NewChatbot): Promise<boolean> {
  const { session, senderNumber, status, idempotency } = chatbot;
  const sql = `INSERT INTO chatbots (user_id, session_id, device_id, whatsapp_number, sender_number, status, creation_key,
      creation_fingerprint)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
  const { userId, sessionId, deviceId, whatsappNumber } = session;
  const creation = [idempotency?.key ?? null, idempotency?.fingerprint ?? null];
  try {
    const values = [userId, sessionId, deviceId, whatsappNumber, senderNumber, status, ...creation];
    await execute(database.pool, sql, values);
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

/** From the next message on. The caller has made sure that it may be changed; so below. */
export async function setStatus(database: Database, chatbotId: number, status: Allowance): Promise<void> {
  const sql = "UPDATE chatbots SET status = ?, updated_at = NOW(3) WHERE chatbot_id = ?";
  await execute(database.pool, sql, [status, chatbotId]);
}

export async function remove(database: Database, chatbotId: number): Promise<void> {
  await execute(database.pool, "DELETE FROM chatbots WHERE chatbot_id = ?", [chatbotId]);
}

// ---- What answers for a number: a row of `webhooks`, made when it is first needed. ----

/** @param secret sealed for the place of `webhookId`. */
export type NewEndpoint = { webhookId: WebhookId; userId: UserId; whatsappNumber: string; secret: Buffer };

/** Of a user's number; undefined when it was not needed yet. */
export async function findEndpoint(
  database: Database,
  userId: UserId,
  whatsappNumber: string,
): Promise<{ webhookId: WebhookId; url: string | null } | undefined> {
  const sql = `SELECT webhook_id AS webhookId, url FROM webhooks
    WHERE user_id = ? AND whatsapp_number = ? AND kind = 'chatbot'`;
  const [row] = await select<{ webhookId: WebhookId; url: string | null }>(database.pool, sql, [
    userId,
    whatsappNumber,
  ]);
  return row;
}

/** False when there is one already. */
export async function createEndpoint(database: Database, endpoint: NewEndpoint): Promise<boolean> {
  const sql = `INSERT INTO webhooks (webhook_id, user_id, kind, url, event_types, secret, whatsapp_number)
    VALUES (?, ?, 'chatbot', NULL, '["message.received"]', ?, ?)`;
  const { webhookId, userId, secret, whatsappNumber } = endpoint;
  try {
    return (await execute(database.pool, sql, [webhookId, userId, secret, whatsappNumber])) > 0;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

/** Where messages go from now on; what was learned of the one before is forgotten. @param secret undefined: as it was */
export async function setEndpoint(
  database: Database,
  webhookId: WebhookId,
  url: string | null,
  secret: Buffer | undefined,
): Promise<void> {
  const sql = `UPDATE webhooks SET url = ?, secret = COALESCE(?, secret), failures = 0, failing_since = NULL,
      paused_until = NULL
    WHERE webhook_id = ?`;
  await execute(database.pool, sql, [url, secret ?? null, webhookId]);
}

/** Whose sessions of a number the viewer may see. */
export async function listOwners(database: Database, viewer: Viewer, whatsappNumber: string): Promise<UserId[]> {
  const visible = visibleSessions(viewer);
  const sql = `SELECT DISTINCT s.user_id AS userId FROM whatsapp_sessions s WHERE s.whatsapp_number = ? AND ${visible.sql}`;
  const rows = await select<{ userId: UserId }>(database.pool, sql, [whatsappNumber, ...visible.values]);
  return rows.map(({ userId }) => userId);
}
