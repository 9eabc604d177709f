import * as z from "zod";

/** The `Prefer` header (RFC 7240): true when the caller asks not to wait. Other preferences are passed over. */
export const prefersAsync = z
  .string()
  .transform((value) => value.split(",").some((wish) => wish.trim().toLowerCase() === "respond-async"))
  .optional()
  .meta({
    description: "`respond-async`: answer 202 at once, without waiting for WhatsApp.",
    examples: ["respond-async"],
  });

export const PREFERENCE_APPLIED = { "Preference-Applied": "respond-async" };
