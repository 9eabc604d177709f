/**
 * WhatsApp addresses as parsed values. Nothing else splits them: a LID looks like a number and is none, and a device
 * suffix (`:3`) must never reach a chat key.
 */
export const USER_SERVER = "s.whatsapp.net";
export const LID_SERVER = "lid";
export const GROUP_SERVER = "g.us";

type Server = typeof USER_SERVER | typeof LID_SERVER | typeof GROUP_SERVER;
/** `device` is the linked device's number; absent for the account itself. */
export type Jid = { user: string; device?: number; server: Server };

const USER_OR_LID = /^(\d{5,20})(?::(\d{1,5}))?@(s\.whatsapp\.net|lid)$/;
/** New groups are digits only; old ones are `<creator>-<timestamp>`. */
const GROUP = /^(\d{5,25}(?:-\d{5,15})?)@(g\.us)$/;

/** Undefined for anything that is not a user, LID or group address. */
export function parseJid(text: string): Jid | undefined {
  const match = USER_OR_LID.exec(text);
  if (match?.[1] && match[3]) {
    const base = { user: match[1], server: match[3] as Server };
    return match[2] === undefined ? base : { ...base, device: Number(match[2]) };
  }
  const group = GROUP.exec(text);
  return group?.[1] ? { user: group[1], server: GROUP_SERVER } : undefined;
}

/** The address of the account or group, without a device. */
export const formatJid = (jid: Jid): string => `${jid.user}@${jid.server}`;
export const jidOfPhone = (phone: string): string => `${phone}@${USER_SERVER}`;

/** The phone number in an address, or undefined where there is none (a LID hides it, a group has none). */
export function phoneOfJid(text: string | null | undefined): string | undefined {
  const jid = text ? parseJid(text) : undefined;
  return jid?.server === USER_SERVER ? jid.user : undefined;
}
