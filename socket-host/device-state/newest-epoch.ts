import { logObjects } from "./log-objects.ts";
import type { Place } from "./log-objects.ts";

/**
 * Under which epoch a device's state was last written; 0 when there is none. An entry that cannot be read counts for
 * nothing. Throws when the store does not answer.
 */
export async function newestEpoch(place: Place): Promise<number> {
  const objects = logObjects(place);
  const head = (await objects.readHead())?.head;
  const last = (await objects.listEntries(head?.snapSeq ?? 0)).at(-1)?.seq;
  const entry = last === undefined ? undefined : await objects.peekEntry(last);
  return Math.max(head?.epoch ?? 0, entry?.epoch ?? 0);
}
