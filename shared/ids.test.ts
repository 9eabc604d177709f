import { describe, expect, it } from "vitest";
import { mayBeOurMessageId, messageIdFor, newCommandId } from "./ids.ts";
import type { DeviceId } from "./ids.ts";

describe("messageIdFor", () => {
  it("gives the same command the same WhatsApp id, in the shape of Baileys' own", () => {
    const id = messageIdFor("shop" as DeviceId, "cmd_1");
    expect(id).toBe(messageIdFor("shop" as DeviceId, "cmd_1"));
    expect(id).toMatch(/^3EB0[0-9A-F]{18}$/);
    expect(id).not.toBe(messageIdFor("shop" as DeviceId, "cmd_2"));
    expect(mayBeOurMessageId(id)).toBe(true);
    expect(mayBeOurMessageId("3A5F7C0E9B21D4A86E13")).toBe(false);
  });
});

describe("newCommandId", () => {
  it("never repeats, sorts by creation and fits its column", () => {
    const ids = Array.from({ length: 1000 }, () => newCommandId());
    expect(new Set(ids).size).toBe(1000);
    expect(ids.toSorted()).toEqual(ids);
    expect(Math.max(...ids.map((id) => id.length))).toBeLessThanOrEqual(40);
  });
});
