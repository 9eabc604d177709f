import * as z from "zod";
import { MAX_TEXT_LENGTH } from "../../shared/commands.ts";
import type { BrokenRule } from "../issue.ts";

const NOT_UNICODE: BrokenRule = {
  sentence: { id: "bukan teks Unicode yang benar", en: "is not well-formed Unicode" },
};

/** Half a surrogate pair is refused: it cannot be encoded, so it would arrive as something else. */
export const wellFormedText = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .refine((value) => !/\p{Surrogate}/u.test(value), { params: NOT_UNICODE });

/** The text of a message. */
export const messageText = wellFormedText(MAX_TEXT_LENGTH);
