import type { Event } from "../../shared/events.ts";
import type { FetchRefusal } from "../../shared/fetch-refusals.ts";
import type { FetchedResponse, GuardedFetch } from "../../shared/guarded-fetch.ts";
import type { Notice } from "../../shared/notices.ts";
import { parseRetryAfterMs } from "../../shared/retries.ts";
import { signWebhook } from "../../shared/webhook-secret.ts";

/** Where to, and what it is signed with: one secret or, while it is changed, two. */
export type Receiver = { url: string; headers: Record<string, string>; secrets: readonly string[] };

/** `status` is null when there was no answer; `refusal` says why, also of an answer that broke off. `ms`: how long it took. */
export type Posted = {
  status: number | null;
  /** The beginning of the answer's body. */
  answer: string;
  refusal: FetchRefusal | null;
  retryAfterMs: number | undefined;
  ms: number;
};

export const TRY_TIMEOUT_MS = 15_000;

/** Posts an event, signed. A redirect is an answer like any other: it is not followed. Never rejects for the receiver's sake. */
export async function postEvent(
  fetcher: GuardedFetch,
  { url, headers, secrets }: Receiver,
  event: Event | Notice,
  maxAnswerBytes: number,
): Promise<Posted> {
  const { id, type, sequence, deviceId, data } = event;
  const body = JSON.stringify({ id, type, sequence, deviceId, occurredAt: event.occurredAt.toISOString(), data });
  const startedAt = Date.now();
  const posted: Posted = { status: null, answer: "", refusal: null, retryAfterMs: undefined, ms: 0 };
  const request = {
    url,
    method: "POST" as const,
    headers: {
      "user-agent": "whatsapp-gateway",
      ...headers,
      "content-type": "application/json",
      ...signWebhook(id, body, secrets, startedAt),
    },
    body,
    limits: {
      // What is too much is not read.
      maxBytes: Number.MAX_SAFE_INTEGER,
      headersTimeoutMs: TRY_TIMEOUT_MS,
      idleTimeoutMs: TRY_TIMEOUT_MS,
      totalTimeoutMs: TRY_TIMEOUT_MS,
      maxRedirects: 0,
    },
  };
  const outcome = await fetcher.fetch(request, async (response) => {
    posted.status = response.status;
    posted.retryAfterMs = parseRetryAfterMs(response.headers["retry-after"], Date.now());
    posted.answer = await readBeginning(response, maxAnswerBytes);
  });
  posted.refusal = outcome.ok ? null : outcome.reason;
  posted.ms = Date.now() - startedAt;
  return posted;
}

async function readBeginning({ body }: FetchedResponse, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, maxBytes - size));
    size += chunk.length;
    if (size >= maxBytes) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}
