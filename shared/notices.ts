import type { EventId, WebhookId } from "./ids.ts";

/** Why the product disables a webhook by itself. `gone`: it answered 410. `failing`: for days it did nothing else. */
export type NoticedReason = "gone" | "failing";

type NoticeBody =
  /** Somebody wants to see whether a webhook works. */
  | { type: "webhook.test"; data: { webhookId: WebhookId } }
  /** Told to the other webhooks of the same user. */
  | { type: typeof DISABLED_NOTICE; data: { webhookId: WebhookId; reason: NoticedReason } };

/** What webhooks are told besides events: it is about no device, and in no log of events. */
export type Notice = NoticeBody & { id: EventId; deviceId: null; sequence: null; occurredAt: Date };
export type NewNotice = NoticeBody & { id: EventId };

export const DISABLED_NOTICE = "webhook.disabled";
