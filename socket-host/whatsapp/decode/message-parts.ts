import "../quiet.ts";
import { jidNormalizedUser } from "@whiskeysockets/baileys";
import type { proto } from "@whiskeysockets/baileys";
import type { MessageContext, MessageTarget } from "../../../shared/message.ts";

type Present<Fields> = { [Name in keyof Fields]?: NonNullable<Fields[Name]> };
type Whole = number | { toString: () => string } | null | undefined;

/** The fields that are there: null, undefined and empty text are left out. */
export function present<Fields extends object>(fields: Fields): Present<Fields> {
  const there = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return Object.fromEntries(there) as Present<Fields>;
}

/** A whole number that is not negative; 0 for what is none. The protocol's 64-bit numbers are objects. */
export function numberOf(value: Whole): number {
  const number = Math.trunc(Number(value?.toString() ?? 0));
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}

/** ISO 8601, from seconds since 1970 (some clients write milliseconds); undefined where there is none. */
export function isoTime(seconds: Whole): string | undefined {
  const number = numberOf(seconds);
  const date = new Date(number > 1e11 ? number : number * 1000);
  return number && !Number.isNaN(date.getTime()) ? date.toISOString() : undefined;
}

export function target(key: proto.IMessageKey | null | undefined): MessageTarget {
  const sender = key?.participant || (key?.fromMe ? null : key?.remoteJid);
  return { messageId: key?.id ?? "", fromMe: key?.fromMe === true, sender: sender ? jidNormalizedUser(sender) : null };
}

export function messageContext(info: proto.IContextInfo | null | undefined): MessageContext {
  if (!info) return {};
  const mentions = (info.mentionedJid ?? []).map((jid) => jidNormalizedUser(jid)).filter(Boolean);
  const sender = info.participant ? jidNormalizedUser(info.participant) : null;
  const isForwarded = info.isForwarded === true || (info.forwardingScore ?? 0) > 0;
  return {
    ...(mentions.length && { mentions }),
    ...(info.stanzaId && { quoted: { messageId: info.stanzaId, sender } }),
    ...(isForwarded && { isForwarded }),
    ...(info.expiration && { expiresAfterSeconds: info.expiration }),
  };
}
