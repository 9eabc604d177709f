import * as z from "zod";
import { parseRecipient } from "../../shared/phone.ts";
import type { BrokenRule } from "../issue.ts";

/** The sentence for it. */
export const NOT_A_RECIPIENT: BrokenRule = {
  code: "invalid_phone",
  sentence: {
    id: "bukan nomor telepon atau JID yang diterima",
    en: "is not a phone number or JID that is accepted",
  },
};

/**
 * Whom a message is for: a phone number by the installation's rule, or a JID. Comes out as a JID without device.
 * @param regions see `ApiConfig.phoneRegions`
 */
export const recipient = (regions: readonly string[] | undefined) =>
  z
    .string()
    .transform((value, context) => {
      const jid = parseRecipient(value, regions);
      if (jid !== undefined) return jid;
      context.addIssue({ code: "custom", params: NOT_A_RECIPIENT });
      return z.NEVER;
    })
    .meta({
      description:
        "A phone number (`0812…`, `62812…` or `+62812…`; other countries where `PHONE_REGIONS` opens them), or a JID: `…@s.whatsapp.net`, `…@lid`, `…@g.us`.",
      examples: ["081234567890"],
    });

/** As the rows of jobs hold it. */
const MAX_RECIPIENT_LENGTH = 100;

/**
 * Whom a message of many is for. What is no recipient stays as it is, for the host to refuse: one bad recipient must not
 * stop the rest.
 * @param regions see `ApiConfig.phoneRegions`
 */
export const recipientOfMany = (regions: readonly string[] | undefined) =>
  z
    .string()
    .max(MAX_RECIPIENT_LENGTH)
    .regex(/^[\x20-\x7e]*$/)
    .transform((value) => parseRecipient(value, regions) ?? value)
    .meta({
      description: "As `to` of a single message. One that is not accepted fails alone, with `invalid_phone`.",
      examples: ["081234567890"],
    });
