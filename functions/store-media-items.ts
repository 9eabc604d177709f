import { createHash } from "node:crypto";
import type { MediaPayload } from "../shared/commands.ts";
import { ApiError } from "../shared/errors.ts";
import type { ErrorDetail } from "../shared/errors.ts";
import type { StoredFile } from "./fetch-file.ts";
import type { Sentence } from "./language.ts";
import { mediaPayload } from "./media-payload.ts";
import type { FormFile } from "./read-form.ts";
import type { Call } from "./route.ts";
import type { MediaFields } from "./schemas/media.ts";
import { sourceFault, storeFile } from "./store-media.ts";

/** One media message of many; its file may be one of the form. */
export type MediaItem = MediaFields & { to: string; fileField?: string | undefined; fileIndex?: number | undefined };

/** Files of one request, however many messages they are in. */
const MAX_FILES = 100;
/** After so long no further file is begun, so that the request ends in time. */
const BEGIN_WITHIN_MS = 12_000;

const NO_FILE: Sentence = { id: "formulir tidak memuat berkas itu", en: "the form has no such file" };
const TOO_MANY: Sentence = {
  id: `lebih dari ${MAX_FILES} berkas berbeda dalam satu permintaan`,
  en: `more than ${MAX_FILES} different files in one request`,
};
const TOO_SLOW: Sentence = {
  id: "berkas sebanyak ini terlalu lama untuk satu permintaan: unggah dahulu dan kirim mediaId-nya",
  en: "so many files take too long for one request: upload them first and send their mediaId",
};

/** Throws `validation_failed` with all items that have no file, several, or one that is not there. */
export function checkItems(call: Call, items: readonly MediaItem[]): void {
  const { language } = call;
  const details = items.flatMap((fields, at): ErrorDetail[] => {
    const path = `body.items.${at}`;
    const file = fileOf(call, fields);
    const isNamed = fields.fileField !== undefined || fields.fileIndex !== undefined;
    const fault = isNamed && !file ? { path, message: NO_FILE[language] } : sourceFault({ call, fields, file, path });
    return fault ? [fault] : [];
  });
  if (new Set(items.map((item) => keyOf(call, item))).size > MAX_FILES)
    details.push({ path: "body.items", message: TOO_MANY[language] });
  if (details.length) throw new ApiError("validation_failed", details);
}

/**
 * Brings the files of items that were checked into the media bucket, each once, and makes the messages of them. Throws what
 * is wrong with a file, as `storeMedia` does.
 */
export async function storeItems(call: Call, items: readonly MediaItem[]): Promise<MediaPayload[]> {
  const deadline = performance.now() + BEGIN_WITHIN_MS;
  const stored = new Map<string, StoredFile>();
  const payloads: MediaPayload[] = [];
  for (const [at, fields] of items.entries()) {
    const key = keyOf(call, fields);
    const path = `body.items.${at}`;
    if (!stored.has(key) && performance.now() > deadline)
      throw new ApiError("url_fetch_failed", [{ path, message: TOO_SLOW[call.language] }]);
    const file = stored.get(key) ?? (await storeFile({ call, fields, file: fileOf(call, fields), path }));
    stored.set(key, file);
    payloads.push(mediaPayload(fields.to, fields, file));
  }
  return payloads;
}

function fileOf({ files }: Call, { fileField, fileIndex }: MediaItem): FormFile | undefined {
  if (fileField !== undefined) return files.find(({ field }) => field === fileField);
  return fileIndex === undefined ? undefined : files[fileIndex];
}

/** The same for items that have the same file and mean the same by it. */
function keyOf(call: Call, fields: MediaItem): string {
  const { mediaType, url, mediaId, base64 } = fields;
  const content = base64 && createHash("sha256").update(base64).digest("hex");
  return JSON.stringify([mediaType, fileOf(call, fields)?.sha256, url, mediaId, content]);
}
