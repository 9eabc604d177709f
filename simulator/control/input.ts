import type { Context } from "hono";
import * as z from "zod";
import { ControlError } from "./errors.ts";

/** Fifteen digits and a plus. */
const MAX_NUMBER_LENGTH = 16;

/** A phone number: 5 to 15 digits, international (E.164), with or without the plus. Becomes digits only. */
export const phoneNumber = z
  .string()
  .regex(/^\+?[1-9]\d{4,14}$/, "must be an international phone number, digits only")
  .transform((text) => text.replace("+", ""));

/** A group's address, `<digits>@g.us`, with or without the end. Becomes the whole address. */
export const groupId = z
  .string()
  .regex(/^[\d-]{5,40}(@g\.us)?$/, "must be a group id")
  .transform((text) => `${text.replace("@g.us", "")}@g.us`);

/** A chat: the number of the other person, or a group's address; ids of groups are longer than any number. */
export const chatId = z
  .string()
  .regex(/^(\+?[1-9]\d{4,14}|[\d-]{16,40}|[\d-]{5,40}@g\.us)$/, "must be a phone number or a group id")
  .transform((text) =>
    text.length > MAX_NUMBER_LENGTH && !text.includes("@") ? `${text}@g.us` : text.replace("+", ""),
  );

/** Reads a JSON body, or throws a 400 that names every field that is wrong. */
export async function readBody<T extends z.ZodType>(context: Context, schema: T): Promise<z.output<T>> {
  const body: unknown = await context.req.json().catch(() => {
    throw new ControlError(400, "invalid_json", "the body must be JSON");
  });
  return check(body, schema);
}

/** Reads the query parameters, or throws a 400 that names every one that is wrong. */
export function readQuery<T extends z.ZodType>(context: Context, schema: T): z.output<T> {
  return check(context.req.query(), schema);
}

function check<T extends z.ZodType>(value: unknown, schema: T): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new ControlError(400, "invalid", problems.join("; "));
}

/** The same object without what was not given. */
export function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
