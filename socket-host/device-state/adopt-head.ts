import type { Head } from "./log-head.ts";
import type { LogObjects } from "./log-objects.ts";

/**
 * Replaces HEAD, unless a newer owner or a snapshot of a later entry has. Answers the new ETag. A refusal is compared
 * with what was meant before it is believed: a repeated request may have met its own first attempt.
 *
 * @param etag of the HEAD that was read last; undefined when there was none
 */
export async function adoptHead(
  objects: LogObjects,
  head: Head,
  etag: string | undefined,
): Promise<{ etag: string } | "fenced"> {
  for (let expected = etag; ;) {
    const replaced = await objects.replaceHead(head, expected);
    if (replaced !== "changed") return replaced;
    const current = await objects.readHead();
    if (current?.head.snapshot === head.snapshot) return { etag: current.etag };
    if (!current || current.head.epoch > head.epoch || current.head.snapSeq > head.snapSeq) return "fenced";
    // The last word of an owner before this one, or of our own that we had given up: our snapshot covers it.
    expected = current.etag;
  }
}
