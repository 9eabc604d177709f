import { describe, expect, test } from "vitest";
import { seal, SealError, unseal } from "./seal.ts";

const key = Buffer.alloc(32, 1);
const object = "log/devices/u/d/000000000001";
const body = Buffer.from("a ratchet step");

describe("a sealed object", () => {
  test("opens under its own name, and shows nothing of its body", () => {
    const sealed = seal(key, object, body);
    expect(unseal(key, object, sealed)).toEqual(body);
    expect(sealed.includes("ratchet")).toBe(false);
  });

  test("differs each time, though its body is the same", () => {
    expect(seal(key, object, body)).not.toEqual(seal(key, object, body));
  });

  test("does not open under another name, as a copy of it would have", () => {
    expect(() => unseal(key, "log/devices/u/other/000000000001", seal(key, object, body))).toThrow(SealError);
  });

  test("does not open under another key, and the error says which object and why", () => {
    expect(() => unseal(Buffer.alloc(32, 2), object, seal(key, object, body))).toThrow(
      `${object} cannot be opened: it was changed, moved, or sealed under another STATE_ENCRYPTION_KEY`,
    );
  });

  test("does not open when any byte of it was changed, or when it was cut", () => {
    const sealed = seal(key, object, body);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => unseal(key, object, changed)).toThrow(SealError);
      expect(() => unseal(key, object, sealed.subarray(0, at))).toThrow(SealError);
    }
  });
});
