import { AwsError } from "../aws-error.ts";
import { invalidParameter, missingParameter } from "./errors.ts";

/** The JSON object of a request. Absent and null mean the same (AWS JSON protocol). */
export type Input = Readonly<Record<string, unknown>>;

export function parseInput(body: Buffer): Input {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw serialization("The request body is not JSON.");
  }
  if (!isObject(value)) throw serialization("The request body is not a JSON object.");
  return value;
}

export function requiredText(input: Input, name: string): string {
  const value = optionalText(input, name);
  if (value === undefined || value === "") throw missingParameter(name);
  return value;
}

export function optionalText(input: Input, name: string): string | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  throw serialization(`${name} must be a string.`);
}

/** Throws `InvalidParameterValue` when the number is outside of `from`..`to`. */
export function optionalInteger(input: Input, name: string, from: number, to: number): number | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) throw serialization(`${name} must be an integer.`);
  if (value >= from && value <= to) return value;
  throw invalidParameter(`Value ${value} for parameter ${name} is invalid. Reason: Must be between ${from} and ${to}.`);
}

export function textList(input: Input, name: string): string[] {
  const value = input[name] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw serialization(`${name} must be a list of strings.`);
}

export function objectList(input: Input, name: string): Input[] {
  const value = input[name] ?? [];
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw serialization(`${name} must be a list of structures.`);
}

export function optionalObject(input: Input, name: string): Input | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined || isObject(value)) return value;
  throw serialization(`${name} must be a structure.`);
}

export function textMap(input: Input, name: string): Record<string, string> {
  const value = optionalObject(input, name) ?? {};
  for (const key of Object.keys(value)) optionalText(value, key);
  return value as Record<string, string>;
}

function isObject(value: unknown): value is Input {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function serialization(message: string): AwsError {
  return new AwsError("SerializationException", 400, message);
}
