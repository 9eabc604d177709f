import * as z from "zod";
import { idempotencyKey } from "../idempotency.ts";
import { prefersAsync } from "./prefer.ts";

/** What a request may say that does something on WhatsApp. */
export const commandHeaders = z.object({ "idempotency-key": idempotencyKey.optional(), prefer: prefersAsync });
export type CommandHeaders = z.infer<typeof commandHeaders>;
