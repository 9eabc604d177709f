import { describe, expect, it } from "vitest";
import { formatJid, parseJid, phoneOfJid } from "./jid.ts";

describe("parseJid", () => {
  it("reads users, LIDs, devices and both forms of group ids", () => {
    expect(parseJid("6281234567890@s.whatsapp.net")).toEqual({ user: "6281234567890", server: "s.whatsapp.net" });
    expect(parseJid("6281234567890:3@s.whatsapp.net")).toMatchObject({ user: "6281234567890", device: 3 });
    expect(parseJid("98765432101234:1@lid")).toEqual({ user: "98765432101234", device: 1, server: "lid" });
    expect(parseJid("120363012345678901@g.us")).toMatchObject({ server: "g.us" });
    expect(parseJid("6281234567890-1600000000@g.us")).toMatchObject({ user: "6281234567890-1600000000" });
  });

  it("takes nothing else", () => {
    for (const text of [
      "",
      "6281234567890",
      "x@s.whatsapp.net",
      "1@lid@s.whatsapp.net",
      "status@broadcast",
      " 62812345@lid",
    ]) {
      expect(parseJid(text), text).toBeUndefined();
    }
  });

  it("never lets a device suffix reach a chat", () => {
    const jid = parseJid("6281234567890:3@s.whatsapp.net");
    expect(jid && formatJid(jid)).toBe("6281234567890@s.whatsapp.net");
  });
});

describe("phoneOfJid", () => {
  it("knows that a LID is no phone number", () => {
    expect(phoneOfJid("98765432101234@lid")).toBeUndefined();
    expect(phoneOfJid("6281234567890:2@s.whatsapp.net")).toBe("6281234567890");
    expect(phoneOfJid(null)).toBeUndefined();
  });
});
