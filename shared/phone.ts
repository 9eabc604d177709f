// The small tables. They tell a number's country as the large ones do, and take what has the length and the form of that
// country's numbers; whether somebody has it, WhatsApp says.
import { parsePhoneNumberFromString } from "libphonenumber-js/min";
import { formatJid, jidOfPhone, parseJid } from "./jid.ts";

/** The rule of the original service: Indonesian numbers, however they are written. */
const INDONESIAN = /^(\+62|62|0)[0-9]{9,13}$/;

/**
 * The digits of a phone number in E.164 without the plus, or undefined when the rule does not take it.
 * @param regions undefined: the Indonesian rule; `["*"]`: any valid number; else ISO regions, the first of which is
 *   meant by a number without a country code.
 */
export function parsePhone(text: string, regions: readonly string[] | undefined): string | undefined {
  if (!regions) return INDONESIAN.test(text) ? text.replace(/^(\+62|62|0)/, "62") : undefined;
  if (!/^\+?[0-9]{6,20}$/.test(text)) return undefined;
  const anywhere = regions[0] === "*";
  const found = [text, `+${text.replace(/^\+/, "")}`]
    .map((spelling) => parsePhoneNumberFromString(spelling, anywhere ? undefined : (regions[0] as "ID")))
    .find((number) => number?.isValid() && (anywhere || (number.country && regions.includes(number.country))));
  return found?.number.slice(1);
}

/**
 * The address of a recipient that is given as a number or as a JID of a user, a LID or a group.
 * Undefined when it is neither.
 */
export function parseRecipient(text: string, regions: readonly string[] | undefined): string | undefined {
  const jid = parseJid(text);
  if (jid) return formatJid(jid);
  const phone = parsePhone(text, regions);
  return phone && jidOfPhone(phone);
}
