import { expect, test } from "vitest";
import type { UserId } from "../shared/ids.ts";
import { idempotency, idempotencyKey } from "./idempotency.ts";

const caller = { userId: "usr_1" as UserId };
const request = { caller, method: "POST", path: "/devices/a/send-message", rawBody: { to: "081", message: "Halo" } };
const fingerprint = (changed: Partial<typeof request> | { rawBody: unknown }) =>
  idempotency("key", { ...request, ...changed })?.fingerprint.toString("hex");

test("a request without a key has no fingerprint", () => {
  expect(idempotency(undefined, request)).toBeUndefined();
});

test("the order of fields does not make another request, at any depth", () => {
  expect(fingerprint({ rawBody: { message: "Halo", to: "081" } })).toBe(fingerprint({}));
  expect(fingerprint({ rawBody: { a: [{ x: 1, y: 2 }] } })).toBe(fingerprint({ rawBody: { a: [{ y: 2, x: 1 }] } }));
});

test("another body, path or method is another request", () => {
  const others = [
    fingerprint({}),
    fingerprint({ rawBody: { to: "081", message: "Halo!" } }),
    fingerprint({ rawBody: { to: "081", message: "Halo", extra: null } }),
    fingerprint({ rawBody: ["081", "Halo"] }),
    fingerprint({ path: "/devices/b/send-message" }),
    fingerprint({ method: "PUT" }),
  ];
  expect(new Set(others).size).toBe(others.length);
});

test("two users may choose the same key", () => {
  const other = { ...request, caller: { userId: "usr_2" as UserId } };
  expect(idempotency("key", other)?.key).not.toBe(idempotency("key", request)?.key);
  expect(idempotency("key", request)?.key).toBe(idempotency("key", { ...request, path: "/elsewhere" })?.key);
});

test("a key has 1 to 255 printable ASCII characters", () => {
  for (const key of ["a", "order 47/11", "~".repeat(255)]) expect(idempotencyKey.safeParse(key).success).toBe(true);
  for (const key of ["", "~".repeat(256), "é", "a\nb"]) expect(idempotencyKey.safeParse(key).success).toBe(false);
});

test("a body that is nested without measure is refused, not a crash", () => {
  const rawBody: unknown = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
  expect(() => idempotency("key", { ...request, rawBody })).toThrow(
    expect.objectContaining({ code: "validation_failed" }),
  );
});
