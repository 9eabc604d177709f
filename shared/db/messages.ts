import { createHash } from "node:crypto";
import type { MessageContent } from "../message.ts";
import { execute, parseJson, select } from "./pool.ts";
import type { Runner } from "./pool.ts";
import { toJson, wellFormed } from "./well-formed.ts";

/** How far a message of ours has got; `received` is every other. */
export type MessageStatus = "sent" | "delivered" | "read" | "received";

/** A message of an allowed number, as it is stored. */
export type NewMessage = {
  messageId: string;
  /** Address of the chat: of the other person, by phone number where it is known, or of the group. */
  chat: string;
  /** Digits of a phone number where it is known, else a JID. The receiver in a group is the group. */
  sender: string;
  receiver: string;
  senderName: string | null;
  isOwn: boolean;
  content: MessageContent;
  sentAt: Date;
  status: MessageStatus;
};

/** What somebody did to a message of theirs; `sender` as in `NewMessage`. */
export type MessageChange = { messageId: string; sender: string; at: Date } & (
  | { kind: "deleted" }
  | { kind: "edited"; edit: (content: MessageContent) => MessageContent }
);

/** As wide as the columns. What is longer was made up by a stranger. */
const ID_LENGTH = 128;
const ADDRESS_LENGTH = 64;
const NAME_LENGTH = 100;
const COLUMN_COUNT = 11;

/** Stores messages of sessions, once each. What could not be read when it came first is replaced by what can. */
export async function keep(
  runner: Runner,
  messages: readonly { sessionId: number; message: NewMessage }[],
): Promise<void> {
  if (!messages.length) return;
  const row = `(${Array.from({ length: COLUMN_COUNT }, () => "?").join(",")})`;
  const better = (column: string) =>
    `${column} = IF(type = 'unsupported' AND deleted_at IS NULL, VALUES(${column}), ${column})`;
  // The type last: the others are chosen by what it was before.
  const sql = `INSERT INTO messages (session_id, message_id, chat, sender, receiver, sender_name, is_own, type, content,
      status, sent_at)
    VALUES ${messages.map(() => row).join(",")}
    ON DUPLICATE KEY UPDATE ${better("content")}, ${better("type")}`;
  const values = messages.flatMap(({ sessionId, message }) => [
    sessionId,
    bounded(message.messageId, ID_LENGTH),
    ...[message.chat, message.sender, message.receiver].map(address),
    message.senderName === null ? null : wellFormed(message.senderName.slice(0, NAME_LENGTH)),
    message.isOwn ? 1 : 0,
    message.content.messageType,
    toJson(message.content),
    message.status,
    message.sentAt,
  ]);
  await execute(runner, sql, values);
}

/** Changes a message if it is stored, and if it is of whom the change says. The newest edit counts. */
export async function change(runner: Runner, sessionId: number, changed: MessageChange): Promise<void> {
  const where = "WHERE session_id = ? AND message_id = ? AND sender = ? AND deleted_at IS NULL";
  const id = [sessionId, bounded(changed.messageId, ID_LENGTH), address(changed.sender)];
  if (changed.kind === "deleted") {
    const sql = `UPDATE messages SET content = NULL, deleted_at = ? ${where}`;
    await execute(runner, sql, [changed.at, ...id]);
    return;
  }
  const older = `${where} AND (edited_at IS NULL OR edited_at <= ?)`;
  type Row = { content: unknown };
  const [row] = await select<Row>(runner, `SELECT content FROM messages ${older} FOR UPDATE`, [...id, changed.at]);
  if (!row) return;
  const content = changed.edit(parseJson(row.content) as MessageContent);
  const sql = `UPDATE messages SET content = ?, edited_at = ? ${where}`;
  await execute(runner, sql, [toJson(content), changed.at, ...id]);
}

/** Receipts came for messages of ours. `read` is not undone by a late `delivered`. */
export async function setReached(
  runner: Runner,
  sessionId: number,
  messageIds: readonly string[],
  reached: "delivered" | "read",
): Promise<void> {
  const before = reached === "read" ? "'sent','delivered'" : "'sent'";
  const sql = `UPDATE messages SET status = ? WHERE session_id = ?
    AND message_id IN (${messageIds.map(() => "?").join(",")}) AND status IN (${before})`;
  await execute(runner, sql, [reached, sessionId, ...messageIds.map((id) => bounded(id, ID_LENGTH))]);
}

/** Remembers whose phone number a LID is, so that what is stored under either is found by both. */
export async function learnLids(
  runner: Runner,
  sessionId: number,
  pairs: readonly { phone: string; lid: string }[],
): Promise<void> {
  if (!pairs.length) return;
  const sql = `INSERT INTO session_lids (session_id, lid, phone) VALUES ${pairs.map(() => "(?, ?, ?)").join(",")}
    ON DUPLICATE KEY UPDATE phone = VALUES(phone)`;
  const values = pairs.flatMap(({ phone, lid }) => [sessionId, address(lid), address(phone)]);
  await execute(runner, sql, values);
}

const isPlain = (text: string) => /^[\x21-\x7e]+$/.test(text);
const hashed = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex").slice(0, 50)}`;
const bounded = (text: string, length: number) => (text.length <= length ? wellFormed(text) : hashed(text));
const address = (text: string) => (text.length <= ADDRESS_LENGTH && isPlain(text) ? text : hashed(text));
