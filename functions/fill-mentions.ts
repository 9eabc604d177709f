import { parseJid } from "../shared/jid.ts";

/** `{mentions}`, `{m1}` and `{mention1}` counted from 1, `{mention[0]}` from 0. */
const PLACEHOLDER = /\{(?:mentions|m(?:ention)?(\d+)|mention\[(\d+)\])\}/g;

/**
 * Puts `@number` in the place of the placeholders, as WhatsApp's own programs write mentions: the phone shows a name there.
 * @param people JIDs
 * @returns the placeholders that stand for nobody, if there are any
 */
export function fillMentions(
  message: string,
  people: readonly string[],
): { outcome: "filled"; text: string } | { outcome: "unknown"; placeholders: string[] } {
  const names = people.map((jid) => `@${parseJid(jid)?.user ?? jid}`);
  const unknown = new Set<string>();
  const text = message.replaceAll(PLACEHOLDER, (placeholder, fromOne?: string, fromZero?: string) => {
    if (fromOne === undefined && fromZero === undefined) return names.join(" ");
    const name = names[fromOne === undefined ? Number(fromZero) : Number(fromOne) - 1];
    if (name === undefined) unknown.add(placeholder);
    return name ?? placeholder;
  });
  return unknown.size ? { outcome: "unknown", placeholders: [...unknown] } : { outcome: "filled", text };
}
