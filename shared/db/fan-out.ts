import type { EventBody, NewEvent } from "../events.ts";
import type { DeviceId, EventId, WebhookId } from "../ids.ts";
import type { MessageType } from "../message.ts";
import { CHATBOT_WAIT_SECONDS, WEBHOOK_WAIT_SECONDS } from "../retries.ts";
import { execute, noteForCommit, parseJson, select } from "./pool.ts";
import type { Runner } from "./pool.ts";
import { VISIBLE_TO_USER } from "./visible-devices.ts";

/** An event that is being written. */
export type WrittenEvent = Pick<NewEvent, "occurredAt"> &
  EventBody & { id: EventId; deviceId: DeviceId; sequence: number };

/** A subscription to every type of event, also of a later version. */
export const EVERY_EVENT = "*";

type Delivery = { webhookId: WebhookId; event: WrittenEvent; waitSeconds: number };

/** Rows of one statement: well below what the database takes. */
const ROWS_AT_ONCE = 1_000;

/**
 * Writes the deliveries of events, in the transaction of the events: none can be lost in between. After the commit the
 * database's `onCommitted` is told the webhooks' ids. Reads without locks: whoever changes or delivers to a webhook
 * meanwhile keeps no event waiting.
 */
export async function fanOut(runner: Runner, events: readonly WrittenEvent[]): Promise<void> {
  const deliveries = [...(await forWebhooks(runner, events)), ...(await forChatbots(runner, events))];
  for (let at = 0; at < deliveries.length; at += ROWS_AT_ONCE) {
    const some = deliveries.slice(at, at + ROWS_AT_ONCE);
    const values = some.flatMap(({ webhookId, event, waitSeconds }) => [
      webhookId,
      event.id,
      event.deviceId,
      event.sequence,
      event.type,
      waitSeconds,
    ]);
    await execute(
      runner,
      `INSERT INTO deliveries (webhook_id, event_id, device_id, sequence, type, due_at, expires_at)
       VALUES ${some.map(() => "(?, ?, ?, ?, ?, NOW(3), NOW(3) + INTERVAL ? SECOND)").join(",")}`,
      values,
    );
  }
  for (const { webhookId } of deliveries) noteForCommit(runner, webhookId);
}

async function forWebhooks(runner: Runner, events: readonly WrittenEvent[]): Promise<Delivery[]> {
  const deviceIds = [...new Set(events.map(({ deviceId }) => deviceId))];
  const sql = `SELECT d.device_id, w.webhook_id, w.event_types
    FROM devices d
      JOIN webhooks w ON w.kind = 'webhook' AND w.disabled_at IS NULL
        AND (w.device_ids IS NULL OR JSON_CONTAINS(w.device_ids, JSON_QUOTE(d.device_id)))
      JOIN users u ON u.user_id = w.user_id AND u.disabled_at IS NULL
    WHERE d.device_id IN (${deviceIds.map(() => "?").join(",")}) AND ${VISIBLE_TO_USER}`;
  type Row = { device_id: DeviceId; webhook_id: WebhookId; event_types: unknown };
  const rows = await select<Row>(runner, sql, deviceIds);
  return rows.flatMap((row) => {
    const types = new Set(parseJson(row.event_types) as string[]);
    return events
      .filter((event) => event.deviceId === row.device_id && (types.has(EVERY_EVENT) || types.has(event.type)))
      .map((event) => ({ webhookId: row.webhook_id, event, waitSeconds: WEBHOOK_WAIT_SECONDS }));
  });
}

/** What says nothing that could be answered. */
const UNANSWERABLE: readonly MessageType[] = [
  "reaction",
  "edit",
  "delete",
  "pin",
  "poll_vote",
  "disappearing_setting",
  "album",
  "unsupported",
];

/** Who wrote to this account, alone with it, a moment ago. Undefined for all else that a chatbot is not asked about. */
function askerOf(event: WrittenEvent): string | undefined {
  if (event.type !== "message.received" || event.data.fromMe || event.data.chatPhone === null) return undefined;
  if (UNANSWERABLE.includes(event.data.messageType)) return undefined;
  const ageMs = Date.now() - Date.parse(event.data.sentAt);
  return ageMs > CHATBOT_WAIT_SECONDS * 1000 ? undefined : event.data.chatPhone;
}

async function forChatbots(runner: Runner, events: readonly WrittenEvent[]): Promise<Delivery[]> {
  const asked = events.flatMap((event) => {
    const asker = askerOf(event);
    return asker === undefined ? [] : [{ event, asker }];
  });
  if (!asked.length) return [];
  const sql = `SELECT c.device_id, c.sender_number, w.webhook_id
    FROM chatbots c
      JOIN devices d ON d.device_id = c.device_id AND d.user_id = c.user_id AND d.phone_number = c.whatsapp_number
      JOIN users u ON u.user_id = c.user_id AND u.disabled_at IS NULL
      JOIN webhooks w ON w.user_id = c.user_id AND w.whatsapp_number = c.whatsapp_number AND w.disabled_at IS NULL
    WHERE c.status = 'aktif' AND (c.device_id, c.sender_number) IN (${asked.map(() => "(?, ?)").join(",")})`;
  type Row = { device_id: DeviceId; sender_number: string; webhook_id: WebhookId };
  const pairs = asked.flatMap(({ event, asker }) => [event.deviceId, asker]);
  const rows = await select<Row>(runner, sql, pairs);
  const endpoints = new Map(rows.map((row) => [`${row.device_id} ${row.sender_number}`, row.webhook_id]));
  return asked.flatMap(({ event, asker }) => {
    const webhookId = endpoints.get(`${event.deviceId} ${asker}`);
    return webhookId ? [{ webhookId, event, waitSeconds: CHATBOT_WAIT_SECONDS }] : [];
  });
}
