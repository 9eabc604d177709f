import * as z from "zod";
import type { ErrorCode } from "../shared/errors.ts";
import type { Language, Sentence } from "./language.ts";

/**
 * What a schema's own rule says when it is broken: `ctx.addIssue({ code: "custom", params })`. With a `code`, a request
 * that breaks only such rules is answered with it instead of `validation_failed`.
 */
export type BrokenRule = { sentence: Sentence; code?: ErrorCode };

/** The parameters of a custom issue that this code made, undefined for any other issue. */
export const brokenRule = (issue: z.core.$ZodIssue): BrokenRule | undefined =>
  issue.code === "custom" && issue.params?.["sentence"] ? (issue.params as BrokenRule) : undefined;

/**
 * One wrong field in a sentence. The schema must have been run with `reportInput`, which tells a missing field from a
 * wrong one. A field of type `never` is one that the contract knows and this version does not take.
 */
export function describeIssue(issue: z.core.$ZodIssue, language: Language): string {
  return sentenceOf(issue)[language];
}

/** How people write what has a long pattern. */
const WRITTEN: Record<string, string> = { date: "YYYY-MM-DD", datetime: "YYYY-MM-DDTHH:mm:ssZ" };

function sentenceOf(issue: z.core.$ZodIssue): Sentence {
  const rule = brokenRule(issue);
  if (rule) return rule.sentence;
  if ("input" in issue && issue.input === undefined) return { id: "wajib diisi", en: "is required" };
  switch (issue.code) {
    case "invalid_type":
      if (issue.expected === "never") return { id: "belum didukung", en: "is not supported yet" };
      return { id: `harus bertipe ${issue.expected}`, en: `must be of type ${issue.expected}` };
    case "too_small":
      return bound(issue.origin, String(issue.minimum), { id: "paling sedikit", en: "at least" });
    case "too_big":
      return bound(issue.origin, String(issue.maximum), { id: "paling banyak", en: "at most" });
    case "invalid_value": {
      const values = issue.values.map(String).join(", ");
      return { id: `harus salah satu dari: ${values}`, en: `must be one of: ${values}` };
    }
    case "invalid_format": {
      const form = WRITTEN[issue.format] ?? issue.pattern ?? issue.format;
      return { id: `harus sesuai ${form}`, en: `must match ${form}` };
    }
    case "custom":
    case "invalid_element":
    case "invalid_key":
    case "invalid_union":
    case "not_multiple_of":
    case "unrecognized_keys":
      return { id: issue.message, en: issue.message };
  }
}

function bound(origin: string, limit: string, side: Sentence): Sentence {
  if (origin === "string")
    return { id: `harus ${side.id} ${limit} karakter`, en: `must have ${side.en} ${limit} characters` };
  if (origin === "array") return { id: `harus ${side.id} ${limit} butir`, en: `must have ${side.en} ${limit} items` };
  return { id: `harus ${side.id} ${limit}`, en: `must be ${side.en} ${limit}` };
}
