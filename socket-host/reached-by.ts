import type { Receipt } from "./whatsapp/decode/receipt.ts";

/** How far a row of a message can say that it has got. */
export const reachedBy = (status: Receipt["status"]) => (status === "played" ? "read" : status);
