import type { Endpoint } from "../../shared/db/webhooks.ts";
import type { GuardedFetch } from "../../shared/guarded-fetch.ts";
import { unseal } from "../../shared/sealed.ts";
import type { DeliverServices } from "./deliver-services.ts";
import type { Receiver } from "./post-event.ts";

/** Where a webhook's events go, with what they are signed, and the way there. Undefined: nowhere. */
export function receiverOf(
  { key, fetcher, chatbot }: Pick<DeliverServices, "key" | "fetcher" | "chatbot">,
  endpoint: Endpoint,
): (Receiver & { fetcher: GuardedFetch }) | undefined {
  const { webhookId, url, headers, secret, oldSecret, oldSecretUntil } = endpoint;
  const own = [unseal(secret, key, webhookId)];
  if (oldSecret && oldSecretUntil && oldSecretUntil > new Date()) own.push(unseal(oldSecret, key, webhookId));
  if (url !== null) {
    const custom = headers ? (JSON.parse(unseal(headers, key, webhookId)) as Record<string, string>) : {};
    return { url, headers: custom, secrets: own, fetcher };
  }
  if (!chatbot) return undefined;
  return {
    url: chatbot.url,
    headers: {},
    secrets: chatbot.secret === undefined ? own : [chatbot.secret],
    fetcher: chatbot.fetcher,
  };
}
