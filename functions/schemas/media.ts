import * as z from "zod";
import { MAX_FILE_NAME_LENGTH, MAX_TEXT_LENGTH } from "../../shared/commands.ts";
import type { MediaId } from "../../shared/ids.ts";
import { MEDIA_KINDS } from "../../shared/media.ts";
import { wellFormedText } from "./message-text.ts";
import { recipientOfMany } from "./recipient.ts";

const MAX_URL_LENGTH = 2048;
const MAX_MIMETYPE_LENGTH = 100;

export const mediaType = z.enum(MEDIA_KINDS).meta({
  description:
    "What the file is to its recipient. It must fit the content: an `image` is an image, an `audio` or `voice` (plays as a voice note) an audio, a `sticker` a WebP image; a `document` may be anything that is taken.",
});
export const mimetype = z
  .string()
  .regex(/^[\w.+-]+\/[\w.+-]+$/)
  .max(MAX_MIMETYPE_LENGTH);
export const fileName = wellFormedText(MAX_FILE_NAME_LENGTH);

/** Where the file of a message comes from: one of these, or a file of the form. */
const source = {
  base64: z.string().min(1).optional().meta({ description: "The file itself: base64, or a `data:` URL." }),
  url: z
    .string()
    .min(1)
    .max(MAX_URL_LENGTH)
    .optional()
    .meta({
      description: "Where the file is fetched, on the public internet.",
      examples: ["https://example.com/a.jpg"],
    }),
  mediaId: z
    .string()
    .regex(/^med_[0-9a-f]{26}$/)
    .transform((value) => value as MediaId)
    .optional()
    .meta({ description: "A file that was uploaded, see `media-uploads`." }),
};

export const mediaCaption = wellFormedText(MAX_TEXT_LENGTH);

/** What a media message says besides whom it is for. */
export const mediaFields = {
  mediaType,
  ...source,
  caption: mediaCaption.optional().meta({ description: "Not of `audio`, `voice` and `sticker`." }),
  fileName: fileName.optional().meta({ description: "Of a document. Not given: the file's own name." }),
  mimetype: mimetype.optional().meta({ description: "Not needed and not believed: the content tells the type." }),
};

/** In a form, an item of many has one of its files. */
const fileReference = {
  fileField: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: "In a form: the field that is its file.", examples: ["file"] }),
  fileIndex: z
    .int()
    .min(0)
    .max(1_000)
    .optional()
    .meta({ description: "In a form: which of the files is its own, from 0." }),
};

/** One media message of many. */
export const mediaItem = (regions: readonly string[] | undefined) =>
  z.object({ to: recipientOfMany(regions), ...mediaFields, ...fileReference });

/** One of many to the same group. */
export const groupMediaItem = z.object({ ...mediaFields, mediaType: mediaType.optional(), ...fileReference });

/** What a client says of one media message, wherever it is sent. */
export type MediaFields = z.output<z.ZodObject<typeof mediaFields>>;
