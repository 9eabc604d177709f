import { describe, expect, it } from "vitest";
import { parsePhone, parseRecipient } from "./phone.ts";

describe("parsePhone", () => {
  it("takes every spelling of the Indonesian rule and answers one", () => {
    for (const text of ["+6281234567890", "6281234567890", "081234567890"]) {
      expect(parsePhone(text, undefined), text).toBe("6281234567890");
    }
  });

  it("refuses what the rule does not name", () => {
    for (const text of ["81234567890", "0812345", "62812345678901234", "62 812 3456 7890", "+1 415 555 2671", ""]) {
      expect(parsePhone(text, undefined), text).toBeUndefined();
    }
  });

  it("with * takes any valid number, with a list only those regions", () => {
    expect(parsePhone("+14155552671", ["*"])).toBe("14155552671");
    expect(parsePhone("6281234567890", ["*"])).toBe("6281234567890");
    expect(parsePhone("+14155552671", ["ID", "MY"])).toBeUndefined();
    expect(parsePhone("+60123456789", ["ID", "MY"])).toBe("60123456789");
    expect(parsePhone("081234567890", ["ID", "MY"])).toBe("6281234567890");
    expect(parsePhone("+1415555", ["*"])).toBeUndefined();
  });
});

describe("parseRecipient", () => {
  it("takes a number or an address of a user, a LID or a group, without its device", () => {
    expect(parseRecipient("081234567890", undefined)).toBe("6281234567890@s.whatsapp.net");
    expect(parseRecipient("14155552671:4@s.whatsapp.net", undefined)).toBe("14155552671@s.whatsapp.net");
    expect(parseRecipient("98765432101234@lid", undefined)).toBe("98765432101234@lid");
    expect(parseRecipient("120363012345678901@g.us", undefined)).toBe("120363012345678901@g.us");
    expect(parseRecipient("status@broadcast", undefined)).toBeUndefined();
  });
});
