import { refusalOf } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";

/** What WhatsApp's refusal of something about a group means (whatsmeow, group.go: 401 and 403 not allowed, 404 none). */
export function groupRefusal(code: number): Refusal {
  switch (code) {
    case 401:
    case 403:
      return { errorCode: "group_forbidden" };
    case 404:
      return { errorCode: "group_not_found" };
    default:
      return refusalOf(String(code));
  }
}
