import { createHash } from "node:crypto";
import type { SendingPayload } from "../../shared/commands.ts";
import * as devices from "../../shared/db/devices.ts";
import * as requestCounts from "../../shared/db/request-counts.ts";
import type { Endpoint } from "../../shared/db/webhooks.ts";
import { dispatch } from "../../shared/dispatch.ts";
import type { Event } from "../../shared/events.ts";
import type { GuardedFetch } from "../../shared/guarded-fetch.ts";
import type { Notice } from "../../shared/notices.ts";
import { fetchFile } from "../fetch-file.ts";
import type { FileFault } from "../inspect-file.ts";
import { mediaPayload } from "../media-payload.ts";
import { chatbotReplies } from "./chatbot-replies.ts";
import type { Reply } from "./chatbot-replies.ts";
import type { DeliverServices } from "./deliver-services.ts";
import { postEvent } from "./post-event.ts";
import type { Posted, Receiver } from "./post-event.ts";

const MAX_ANSWER_BYTES = 64 * 1024;
/** Of the files of one answer together; what takes longer is not sent. */
const FILES_WITHIN_MS = 10_000;

/**
 * `posted` is undefined when nothing was asked. `error`: a stable word for why there is no reply, or not all of it; null
 * otherwise. `mustRetry`: the reply could not be sent now.
 */
export type Asked =
  | { posted: Posted; error: string | null; mustRetry?: boolean }
  | { posted: undefined; error: string };

/**
 * Asks a chatbot about a message, and has its reply sent to that chat. Asked again after a crash, it sends nothing twice:
 * the commands of the replies have their names from the event.
 */
export async function askChatbot(
  services: DeliverServices,
  receiver: Receiver & { fetcher: GuardedFetch },
  { webhookId, userId }: Endpoint,
  event: Event | Notice,
): Promise<Asked> {
  if (event.type !== "message.received") return { posted: undefined, error: "not_a_message" };
  const { chat, chatPhone } = event.data;
  const { database } = services;
  const device = await devices.getOwned(database, event.deviceId);
  if (device?.userId !== userId) return { posted: undefined, error: "device_gone" };
  // Two numbers of this installation that answer each other would never stop.
  if (chatPhone && (await devices.isNumberOfOurs(database, chatPhone)))
    return { posted: undefined, error: "own_number" };
  const posted = await postEvent(receiver.fetcher, receiver, event, MAX_ANSWER_BYTES);
  if (posted.status === null || posted.status < 200 || posted.status > 299) return { posted, error: null };

  const replies = chatbotReplies(posted.answer);
  if (!replies) return { posted, error: "reply_invalid" };
  if (!replies.length) return { posted, error: null };
  const subject = createHash("sha256").update(`chatbot\n${webhookId}\n${chat}`).digest("hex");
  const window = requestCounts.windowAt(Date.now() / 1000);
  const count = await requestCounts.add(database, subject, window, 1);
  if (count > services.repliesPerMinute) return { posted, error: "reply_limit" };
  try {
    return { posted, ...(await sendReplies(services, device, event, replies)) };
  } catch (err) {
    // A bucket or a queue that does not answer. The bot is asked as often as one that fails, and no oftener.
    services.log.warn({ err, eventId: event.id, webhookId }, "a chatbot's reply was not queued");
    return { posted, error: "reply_not_queued", mustRetry: true };
  }
}

/** In the order that the chatbot gave. A file that cannot be sent leaves the others as they are. */
async function sendReplies(
  services: DeliverServices,
  device: devices.OwnedDevice,
  event: Extract<Event, { type: "message.received" }>,
  replies: readonly Reply[],
): Promise<Pick<Asked, "error"> & { mustRetry?: boolean }> {
  const filesUntil = Date.now() + FILES_WITHIN_MS;
  let error: string | null = null;
  for (const [index, reply] of replies.entries()) {
    const payload = await payloadOf(services, event.data.chat, reply, filesUntil - Date.now());
    if ("code" in payload) {
      error = payload.code;
      continue;
    }
    const key = `chatbot|${event.id}|${index}`;
    // The key alone says what it is: a chatbot that is asked twice may answer in other words.
    const fingerprint = createHash("sha256").update(key).digest();
    const dispatched = await dispatch(services, device, payload, { key, fingerprint });
    if (dispatched.outcome === "full") return { error: "queue_full", mustRetry: true };
  }
  return { error };
}

/** The message that a reply is, once its file is in the bucket. */
async function payloadOf(
  { fetcher, files, mediaTypes }: DeliverServices,
  to: string,
  reply: Reply,
  totalTimeoutMs: number,
): Promise<SendingPayload | FileFault> {
  if (reply.type === "text") return { kind: "send-text", to, text: reply.text };
  const { type: mediaType, url, caption, fileName } = reply;
  const source = { url, kind: mediaType, totalTimeoutMs: Math.max(1, totalTimeoutMs) };
  const file = await fetchFile({ fetcher, files, mediaTypes }, source);
  return "code" in file ? file : mediaPayload(to, { mediaType, caption, fileName }, file);
}
