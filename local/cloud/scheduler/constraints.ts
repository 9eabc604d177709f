import { optionalText } from "../sqs/input.ts";
import type { Input } from "../sqs/input.ts";
import { constraint, validation } from "./errors.ts";

/**
 * The constraints of the service model, as checks of single members. Each names the member as AWS does in its messages,
 * e.g. `target.roleArn`, and throws `ValidationException`.
 */
type TextRule = { longest: number; pattern?: RegExp };

/** Names of schedules and groups. */
export const NAME: TextRule = { longest: 64, pattern: /^[0-9a-zA-Z-_.]+$/ };
export const CLIENT_TOKEN: TextRule = { longest: 64, pattern: /^[a-zA-Z0-9-_]+$/ };

export function checkText(value: string, member: string, { longest, pattern }: TextRule): string {
  if (value.length < 1) throw constraint(value, member, "Member must have length greater than or equal to 1");
  if (value.length > longest)
    throw constraint(value, member, `Member must have length less than or equal to ${longest}`);
  if (pattern && !pattern.test(value)) {
    // AWS prints the pattern without the anchors that JavaScript needs.
    const inner = pattern.source.replace(/^\^|\$$/g, "");
    throw constraint(value, member, `Member must satisfy regular expression pattern: ${inner}`);
  }
  return value;
}

/** `members`: the path to the member, whose last part is its name in `input`. */
export function text(input: Input, member: string, rule: TextRule): string | undefined {
  const value = optionalText(input, nameIn(member));
  return value === undefined ? undefined : checkText(value, member, rule);
}

export function checkInteger(value: number, member: string, from: number, to: number): number {
  if (value < from) throw constraint(value, member, `Member must have value greater than or equal to ${from}`);
  if (value > to) throw constraint(value, member, `Member must have value less than or equal to ${to}`);
  return value;
}

export function integer(input: Input, member: string, from: number, to: number): number | undefined {
  const value = input[nameIn(member)] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) throw validation(`${member} must be an integer.`);
  return checkInteger(value, member, from, to);
}

export function checkChoice<T extends string>(value: string, member: string, choices: readonly T[]): T {
  const choice = choices.find((choice) => choice === value);
  if (choice !== undefined) return choice;
  throw constraint(value, member, `Member must satisfy enum value set: [${choices.join(", ")}]`);
}

export function choice<T extends string>(input: Input, member: string, choices: readonly T[]): T | undefined {
  const value = optionalText(input, nameIn(member));
  return value === undefined ? undefined : checkChoice(value, member, choices);
}

/** A timestamp of the protocol, seconds with a fraction, in milliseconds. */
export function date(input: Input, member: string): number | undefined {
  const value = input[nameIn(member)] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) throw validation(`${member} must be a timestamp.`);
  return Math.round(value * 1000);
}

export function required<T>(value: T | undefined, member: string): T {
  if (value !== undefined) return value;
  throw validation(
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  );
}

/** `target.roleArn` is `RoleArn` in the JSON of the target. */
function nameIn(member: string): string {
  const last = member.slice(member.lastIndexOf(".") + 1);
  return `${last.slice(0, 1).toUpperCase()}${last.slice(1)}`;
}
