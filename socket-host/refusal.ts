import type { ErrorCode } from "../shared/errors.ts";
import type { Standing } from "./whatsapp/socket.ts";

/** Why a message will not be sent, ever: a code of the table of errors, and words for people. */
export type Refusal = { errorCode: ErrorCode; errorDetail?: string };

/** The account may not begin chats, or this recipient cannot be written to (lib/Utils/decode-wa-message.js). */
export const RESTRICTED = "463";

/**
 * What the code of a negative acknowledgement means. 463 and 479: lib/Utils/decode-wa-message.js, SERVER_ERROR_CODES;
 * 429: rate-overlimit (Baileys issues 1261 and 795). WhatsApp publishes no list, so all others are passed on as they are.
 * @param standing what the account may still do, where it is known; only told with 463
 */
export function refusalOf(code: string, standing?: Standing): Refusal {
  switch (code) {
    case RESTRICTED:
      return { errorCode: "recipient_restricted", errorDetail: standing ? inWords(standing) : code };
    case "429":
      return { errorCode: "too_many_requests", errorDetail: "WhatsApp: rate-overlimit" };
    case "479":
      return {
        errorCode: "refused_by_whatsapp",
        errorDetail: "479: the recipient's devices have changed, send it again",
      };
    default:
      return { errorCode: "refused_by_whatsapp", errorDetail: code };
  }
}

function inWords({ isRestricted, until, newChats }: Standing): string {
  const words = isRestricted
    ? ["no new chats" + (until ? ` until ${until.toISOString()}` : ""), "chats that exist go on"]
    : ["the account may begin chats, but not with this recipient"];
  if (newChats) words.push(`new chats used: ${newChats.used} of ${newChats.quota}`);
  return words.join("; ");
}
