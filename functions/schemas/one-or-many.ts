import type * as z from "zod";
import type { BrokenRule } from "../issue.ts";

const REQUIRED: BrokenRule = { sentence: { id: "wajib diisi", en: "is required" } };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** A rule about which fields there are, which is looked at also when another one is broken. */
const fieldRule = (path: string, params: BrokenRule) => ({
  path: [path],
  params,
  when: ({ value }: { value: unknown }) => isObject(value),
});

/** In a JSON schema. */
const without = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, { not: {} }]));

/**
 * The rules of a body that is one message or several: either all fields of `one`, or `many`, which goes with none of
 * `apart`. All of these are optional in `body` itself.
 */
export function oneOrMany<Body extends z.ZodObject>(
  body: Body,
  one: readonly string[],
  many: string,
  apart: readonly string[] = one,
): Body {
  const notBoth: BrokenRule = {
    sentence: {
      id: `tidak dapat digabung dengan ${apart.join(" atau ")}`,
      en: `cannot be combined with ${apart.join(" or ")}`,
    },
  };
  const complete = one.reduce(
    (rules, name) => rules.refine((value) => many in value || name in value, fieldRule(name, REQUIRED)),
    body,
  );
  return complete
    .refine((value) => !(many in value) || !apart.some((name) => name in value), fieldRule(many, notBoth))
    .meta({
      anyOf: [
        { required: [...one], properties: without([many]) },
        { required: [many], properties: without(apart) },
      ],
    });
}
