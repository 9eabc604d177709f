import { Readable } from "node:stream";
import * as mediaRows from "../shared/db/media.ts";
import { ApiError } from "../shared/errors.ts";
import type { ErrorCode, ErrorDetail } from "../shared/errors.ts";
import type { MediaId } from "../shared/ids.ts";
import { MAX_MEDIA_BYTES, mediaObject, uploadObject } from "../shared/media.ts";
import type { StoredMedia } from "../shared/media.ts";
import { Scratch } from "../shared/scratch.ts";
import type { ScratchFile } from "../shared/scratch.ts";
import { fetchFile } from "./fetch-file.ts";
import type { StoredFile } from "./fetch-file.ts";
import { inspectFile, typeFault } from "./inspect-file.ts";
import type { FileFault } from "./inspect-file.ts";
import type { Sentence } from "./language.ts";
import type { FormFile } from "./read-form.ts";
import type { Call } from "./route.ts";
import type { MediaFields } from "./schemas/media.ts";

type Context = {
  call: Call;
  fields: MediaFields;
  /** The file of the form that the message means. */
  file: FormFile | undefined;
  /** Where the message stands in the request, for what is wrong with it: `body`, or `body.items.3`. */
  path: string;
};

const ONE_SOURCE: Sentence = {
  id: "berikan tepat satu dari file, base64, url, mediaId",
  en: "give exactly one of file, base64, url, mediaId",
};
const NOT_BASE64: Sentence = { id: "bukan base64 yang benar", en: "is not valid base64" };
const DATA_URL = /^data:[^,]{0,200};base64,/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** A request has a time in all, of which its file may take most. */
const FETCH_WITHIN_MS = 20_000;
const FETCH_SLACK_MS = 5_000;

/** What is wrong with a message without looking at its file: it has none, or several. */
export function sourceFault({ call, fields, file, path }: Context): ErrorDetail | undefined {
  const given = [file, fields.base64, fields.url, fields.mediaId].filter((source) => source !== undefined);
  return given.length === 1 ? undefined : { path, message: ONE_SOURCE[call.language] };
}

/**
 * Brings the file of a message, whose source was checked, into the media bucket, under its hash.
 * Throws what is wrong with the file: `validation_failed`, `payload_too_large`, `media_type_not_allowed`,
 * `media_type_mismatch`, `url_not_allowed`, `url_fetch_failed`, `media_not_found`, `media_not_uploaded`.
 */
export async function storeFile(context: Context): Promise<StoredFile> {
  const { fields, file } = context;
  if (file) return { ...(await keep(context, file, "file")), fileName: file.fileName };
  if (fields.mediaId !== undefined) return await storeUpload(context, fields.mediaId);
  if (fields.url !== undefined) return await storeUrl(context, fields.url);
  const scratch = new Scratch();
  try {
    return { ...(await storeBase64(context, fields.base64 ?? "", scratch)), fileName: undefined };
  } finally {
    await scratch.dispose();
  }
}

async function storeBase64(context: Context, text: string, scratch: Scratch): Promise<StoredMedia> {
  const bare = text.replace(DATA_URL, "").replaceAll(/\s/g, "");
  if (!BASE64.test(bare)) throw wrong("validation_failed", `${context.path}.base64`, NOT_BASE64[context.call.language]);
  const bytes = Buffer.from(bare, "base64");
  return await keep(context, await scratch.keep(Readable.from([bytes]), MAX_MEDIA_BYTES), "base64");
}

async function storeUrl(context: Context, url: string): Promise<StoredFile> {
  const { config, files, guardedFetch } = context.call.services;
  const totalTimeoutMs = Math.min(FETCH_WITHIN_MS, config.syncWaitMs + FETCH_SLACK_MS);
  const services = { fetcher: guardedFetch, files, mediaTypes: config.mediaTypes };
  const file = await fetchFile(services, { url, kind: context.fields.mediaType, totalTimeoutMs });
  if ("code" in file) throw toError(context, "url", file);
  return file;
}

/** Looks at an upload once; from then on it is a file like any other, and the upload is gone. */
async function storeUpload(context: Context, mediaId: MediaId): Promise<StoredFile> {
  const { services, caller } = context.call;
  const get = async () => {
    const row = await mediaRows.get(services.database, mediaId);
    if (row?.userId !== caller.userId) throw new ApiError("media_not_found");
    return row;
  };
  const row = await get();
  const fileName = row.fileName ?? undefined;
  const adopted = row.sha256 === null ? await adopt(context, mediaId) : undefined;
  if (adopted) return { ...adopted, fileName };
  // Another request may have been the first just now.
  const { sha256, mimetype, sizeBytes } = row.sha256 === null ? await get() : row;
  if (sha256 === null) throw new ApiError("media_not_uploaded");
  const fault = typeFault(mimetype, context.fields.mediaType, services.config.mediaTypes);
  if (fault) throw toError(context, "mediaId", fault);
  return { sha256, mimetype, sizeBytes, fileName };
}

/** Undefined when there is no upload, or another than was looked at. */
async function adopt(context: Context, mediaId: MediaId): Promise<StoredMedia | undefined> {
  const { database, files } = context.call.services;
  const upload = await files.open(uploadObject(mediaId));
  if (!upload) return undefined;
  const scratch = new Scratch();
  try {
    const media = await look(context, await scratch.keep(upload.body, MAX_MEDIA_BYTES), "mediaId");
    // Whoever has the URL may upload again meanwhile.
    const copied = await files.copy(uploadObject(mediaId), upload.etag, mediaObject(media), media);
    if (copied === "changed") return undefined;
    await mediaRows.setContent(database, mediaId, media);
    // What is left behind expires.
    await files.delete([uploadObject(mediaId)]).catch(() => undefined);
    return media;
  } finally {
    upload.body.destroy();
    await scratch.dispose();
  }
}

async function keep(context: Context, file: ScratchFile | "too large", source: string): Promise<StoredMedia> {
  const media = await look(context, file, source);
  if (file !== "too large") await context.call.services.files.put(mediaObject(media), file, media);
  return media;
}

async function look(context: Context, file: ScratchFile | "too large", source: string): Promise<StoredMedia> {
  const { fields, call } = context;
  const media = await inspectFile(file, fields.mediaType, call.services.config.mediaTypes);
  if ("code" in media) throw toError(context, source, media);
  return media;
}

const toError = ({ call, path }: Context, source: string, { code, field, reason }: FileFault) =>
  wrong(code, `${path}.${field === "source" ? source : field}`, reason[call.language]);

const wrong = (code: ErrorCode, path: string, message: string) => new ApiError(code, [{ path, message }]);
