import { basename } from "node:path";
import { MAX_FILE_NAME_LENGTH } from "../shared/commands.ts";
import { fetchRefusals } from "../shared/fetch-refusals.ts";
import type { GuardedFetch } from "../shared/guarded-fetch.ts";
import type { MediaFiles } from "../shared/media-files.ts";
import { MAX_MEDIA_BYTES, mediaObject } from "../shared/media.ts";
import type { MediaKind, StoredMedia } from "../shared/media.ts";
import { Scratch } from "../shared/scratch.ts";
import { inspectFile } from "./inspect-file.ts";
import type { FileFault } from "./inspect-file.ts";

/** A file in the media bucket, and the name that it came with. */
export type StoredFile = StoredMedia & { fileName: string | undefined };

const LIMITS = { maxBytes: MAX_MEDIA_BYTES, headersTimeoutMs: 8_000, idleTimeoutMs: 5_000, maxRedirects: 3 };

/**
 * Brings what is at a URL that somebody gave into the media bucket, under its hash, if it may be sent as `kind`. Throws
 * only when the bucket does not take it.
 */
export async function fetchFile(
  { fetcher, files, mediaTypes }: { fetcher: GuardedFetch; files: MediaFiles; mediaTypes: readonly string[] },
  { url, kind, totalTimeoutMs }: { url: string; kind: MediaKind; totalTimeoutMs: number },
): Promise<StoredFile | FileFault> {
  const scratch = new Scratch();
  try {
    const request = { url, method: "GET" as const, limits: { ...LIMITS, totalTimeoutMs } };
    const fetched = await fetcher.fetch(request, async (response) => ({
      status: response.status,
      name: basename(response.url.pathname),
      file: response.status === 200 ? await scratch.keep(response.body, MAX_MEDIA_BYTES) : undefined,
    }));
    if (!fetched.ok) {
      const { code, ...reason } = fetchRefusals[fetched.reason];
      return { code, field: "source", reason };
    }
    const { status, name, file } = fetched.value;
    const reason = { id: `server menjawab ${status}`, en: `answers ${status}` };
    if (!file) return { code: "url_fetch_failed", field: "source", reason };
    const media = await inspectFile(file, kind, mediaTypes);
    if ("code" in media) return media;
    if (file !== "too large") await files.put(mediaObject(media), file, media);
    return { ...media, fileName: nameOf(name) };
  } finally {
    await scratch.dispose();
  }
}

function nameOf(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment).slice(0, MAX_FILE_NAME_LENGTH) || undefined;
  } catch {
    return undefined;
  }
}
