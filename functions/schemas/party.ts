import * as z from "zod";
import { phoneOfJid } from "../../shared/jid.ts";
import { parsePhone, parseRecipient } from "../../shared/phone.ts";
import { NOT_A_RECIPIENT } from "./recipient.ts";

/** Digits with a country code: stored messages may be of any country, whoever may be written to. */
const FOREIGN = /^\+?([1-9][0-9]{6,14})$/;
const foreign = (text: string) => FOREIGN.exec(text)?.[1];

const EXAMPLES = { examples: ["081234567890"] };

/**
 * Whose messages are looked for: a phone number in any spelling, or a JID. Comes out as messages are stored: the digits
 * of a number, else the JID.
 * @param regions see `ApiConfig.phoneRegions`
 */
export const party = (regions: readonly string[] | undefined) =>
  z
    .string()
    .transform((value, context) => {
      const jid = parseRecipient(value, regions);
      const found = (jid && (phoneOfJid(jid) ?? jid)) ?? foreign(value);
      if (found !== undefined) return found;
      context.addIssue({ code: "custom", params: NOT_A_RECIPIENT });
      return z.NEVER;
    })
    .meta({
      description:
        "A phone number (`0812…`, `62812…`, `+62812…`, or with the code of another country), or a JID: `…@s.whatsapp.net`, `…@lid`, `…@g.us`.",
      ...EXAMPLES,
    });

/** The number of an account, in any spelling. Comes out as its digits. */
export const whatsappNumber = (regions: readonly string[] | undefined) =>
  z
    .string()
    .transform((value, context) => {
      const found = phoneOfJid(value) ?? parsePhone(value, regions) ?? foreign(value);
      if (found !== undefined) return found;
      context.addIssue({ code: "custom", params: NOT_A_RECIPIENT });
      return z.NEVER;
    })
    .meta({ description: "A phone number: `0812…`, `62812…` or `+62812…`.", ...EXAMPLES });
