import { createHash } from "node:crypto";
import * as z from "zod";
import type { Idempotency } from "../shared/dispatch.ts";
import { ApiError } from "../shared/errors.ts";
import type { Call, Caller } from "./route.ts";

/** 1-255 printable ASCII characters. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/)
  .meta({
    description:
      "The same key with the same body gives the first answer again, with `Idempotency-Replayed: true`, and does nothing twice. With another body it is refused: 409 `idempotency_mismatch`.",
    examples: ["order-4711"],
  });

export const IDEMPOTENCY_REPLAYED = { "Idempotency-Replayed": "true" };

/**
 * The key, which is the caller's alone also on a device that several users share, and what it stands for: the same
 * method, path and body, in whatever order the body's fields were written.
 * Throws `validation_failed` for a body that is nested so deeply that it cannot be written again.
 */
export function idempotency(
  key: string | undefined,
  request: Pick<Call, "method" | "path" | "rawBody"> & { caller: Pick<Caller, "userId"> },
): Idempotency | undefined {
  if (key === undefined) return undefined;
  const text = `${request.method}\n${request.path}\n${canonicalJson(request.rawBody)}`;
  const owned = createHash("sha256").update(`${request.caller.userId}\n${key}`).digest("base64url");
  return { key: owned, fingerprint: createHash("sha256").update(text).digest() };
}

/**
 * What was made under this key before; undefined without a key, or when nothing was.
 * Throws `idempotency_mismatch` when it was asked for otherwise.
 */
export async function findReplay<Made extends { fingerprint: Buffer | null }>(
  once: Idempotency | undefined,
  find: (key: string) => Promise<Made | undefined>,
): Promise<Made | undefined> {
  const made = once && (await find(once.key));
  if (made && !made.fingerprint?.equals(once.fingerprint)) throw new ApiError("idempotency_mismatch");
  return made;
}

function canonicalJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_name, inner: unknown) =>
      isRecord(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
    );
  } catch (error) {
    if (error instanceof RangeError) throw new ApiError("validation_failed", [{ path: "body", message: "too deep" }]);
    throw error;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
