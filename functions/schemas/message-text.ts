import * as z from "zod";
import { MAX_TEXT_LENGTH } from "../../shared/commands.ts";
import type { BrokenRule } from "../issue.ts";

const NOT_UNICODE: BrokenRule = {
  sentence: { id: "bukan teks Unicode yang benar", en: "is not well-formed Unicode" },
};

/**
 * The text of a message. Half a surrogate pair is refused: it cannot be encoded, so it would arrive as something else.
 */
export const messageText = z
  .string()
  .min(1)
  .max(MAX_TEXT_LENGTH)
  .refine((value) => !/\p{Surrogate}/u.test(value), { params: NOT_UNICODE });
