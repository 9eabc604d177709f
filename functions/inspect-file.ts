import type { ErrorCode } from "../shared/errors.ts";
import type { MediaKind, StoredMedia } from "../shared/media.ts";
import type { ScratchFile } from "../shared/scratch.ts";
import type { Sentence } from "./language.ts";
import { fitsKind, mediaTypeOf } from "./media-type.ts";

/** Why a file is not sent: the code that a route answers, what of the message is wrong, and how. */
export type FileFault = { code: ErrorCode; field: "source" | "mediaType"; reason: Sentence };

const TOO_LARGE: Sentence = { id: "lebih dari 16 MB", en: "has more than 16 MB" };
const EMPTY: Sentence = { id: "berkas kosong", en: "the file is empty" };

/**
 * What a file is, by its content, if it may be sent as that.
 * @param mediaTypes that may be sent, see `ApiConfig.mediaTypes`
 */
export async function inspectFile(
  file: ScratchFile | "too large",
  kind: MediaKind,
  mediaTypes: readonly string[],
): Promise<StoredMedia | FileFault> {
  if (file === "too large") return { code: "payload_too_large", field: "source", reason: TOO_LARGE };
  if (!file.sizeBytes) return { code: "validation_failed", field: "source", reason: EMPTY };
  const mimetype = await mediaTypeOf(file.head);
  return typeFault(mimetype, kind, mediaTypes) ?? { sha256: file.sha256, mimetype, sizeBytes: file.sizeBytes };
}

/** Undefined when a file of this type may be sent as that. */
export function typeFault(mimetype: string, kind: MediaKind, mediaTypes: readonly string[]): FileFault | undefined {
  const reason = { id: mimetype, en: mimetype };
  if (!mediaTypes.includes(mimetype)) return { code: "media_type_not_allowed", field: "source", reason };
  if (!fitsKind(mimetype, kind)) return { code: "media_type_mismatch", field: "mediaType", reason };
  return undefined;
}
