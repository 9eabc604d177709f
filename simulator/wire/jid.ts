/** An address on the wire, `user[:device]@server`. Device 0 is the phone. */
export type Jid = { user: string; device: number; server: string };

/** The server part of addresses by phone number. */
export const PN_SERVER = "s.whatsapp.net";

const FORM = /^([^@:]*)(?::(\d{1,5}))?@([a-z.]+)$/;

/** Reads an address; `undefined` for anything that is none. */
export function parseJid(text: string | undefined): Jid | undefined {
  const match = text === undefined ? null : FORM.exec(text);
  if (!match) return undefined;
  return { user: match[1] ?? "", device: Number(match[2] ?? 0), server: match[3] ?? "" };
}

/** The address by phone number ("PN"). */
export function pnJid(phone: string, device = 0): string {
  return device === 0 ? `${phone}@${PN_SERVER}` : `${phone}:${device}@${PN_SERVER}`;
}

/** The address by LID, the number-free identity that Signal sessions are kept under since Baileys 7. */
export function lidJid(lid: string, device = 0): string {
  return device === 0 ? `${lid}@lid` : `${lid}:${device}@lid`;
}

export const GROUP_SERVER = "g.us";

export function isGroupJid(text: string | undefined): boolean {
  return parseJid(text)?.server === GROUP_SERVER;
}
