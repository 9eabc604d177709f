import type { Refusal } from "./refusal.ts";

/** What WhatsApp's refusal of something about a group means (whatsmeow, group.go: 401 and 403 not allowed, 404 none). */
export function groupRefusal(code: number): Refusal {
  switch (code) {
    case 401:
    case 403:
      return { errorCode: "group_forbidden" };
    case 404:
      return { errorCode: "group_not_found" };
    case 429:
      return { errorCode: "too_many_requests", errorDetail: "WhatsApp: rate-overlimit" };
    default:
      return { errorCode: "refused_by_whatsapp", errorDetail: String(code) };
  }
}
