import * as z from "zod";
import { GROUP_SERVER, parseJid } from "../../shared/jid.ts";
import { parseRecipient } from "../../shared/phone.ts";
import type { BrokenRule } from "../issue.ts";

const NOT_A_PERSON: BrokenRule = {
  code: "invalid_phone",
  sentence: { id: "bukan nomor telepon atau JID seseorang", en: "is not the phone number or JID of a person" },
};

/**
 * Somebody, by phone number or JID, as `recipient` takes them. Comes out as a JID without device.
 * @param regions see `ApiConfig.phoneRegions`
 */
export const person = (regions: readonly string[] | undefined) =>
  z
    .string()
    .transform((value, context) => {
      const jid = parseRecipient(value, regions);
      if (jid !== undefined && parseJid(jid)?.server !== GROUP_SERVER) return jid;
      context.addIssue({ code: "custom", params: NOT_A_PERSON });
      return z.NEVER;
    })
    .meta({
      description: "A phone number, or a JID: `…@s.whatsapp.net`, `…@lid`.",
      examples: ["081234567890"],
    });
