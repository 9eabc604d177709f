import type { LIDMapping } from "@whiskeysockets/baileys";

type Lookup = (phoneJids: string[]) => Promise<LIDMapping[] | undefined>;

/** How long a number without a LID is not asked for again. */
const UNKNOWN_MS = 60_000;

/**
 * Baileys asks the server for the LID of a number at every step of an operation. Asked for before the device's lock is
 * taken, a number that has none must not be asked for again inside: that would hold the lock, and libsignal's queue for
 * that address in every other device of the process, until the server answers.
 */
export function lidLookup(ask: Lookup | undefined): Lookup {
  const unknownUntil = new Map<string, number>();
  return async (phoneJids) => {
    const now = Date.now();
    for (const [jid, until] of unknownUntil) if (until <= now) unknownUntil.delete(jid);
    const open = phoneJids.filter((jid) => !unknownUntil.has(jid));
    if (!open.length) return undefined;
    const found = await ask?.(open);
    const known = new Set(found?.map(({ pn }) => pn));
    for (const jid of open) if (!known.has(jid)) unknownUntil.set(jid, Date.now() + UNKNOWN_MS);
    return found;
  };
}
