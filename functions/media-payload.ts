import type { MediaPayload } from "../shared/commands.ts";
import type { MediaKind } from "../shared/media.ts";
import type { StoredFile } from "./fetch-file.ts";

/** What is said of a file that is sent. */
type AboutFile = { mediaType: MediaKind; caption?: string | undefined; fileName?: string | undefined };

/** The message that a file is. */
export function mediaPayload(to: string, about: AboutFile, file: StoredFile): MediaPayload {
  const { mediaType, caption } = about;
  const { sha256, mimetype, sizeBytes } = file;
  const fileName = about.fileName ?? file.fileName;
  const takesCaption = mediaType === "image" || mediaType === "video" || mediaType === "document";
  return {
    kind: "send-media",
    to,
    mediaType,
    media: { sha256, mimetype, sizeBytes },
    ...(takesCaption && caption !== undefined && { caption }),
    ...(mediaType === "document" && fileName !== undefined && { fileName }),
  };
}
