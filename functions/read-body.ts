import { ApiError } from "../shared/errors.ts";

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/**
 * The JSON of a request, `{}` when it has no body, so that every missing field is named. Reads no further than
 * `maxBytes`. Throws `payload_too_large`, `unsupported_media_type` or `malformed_json`.
 */
export async function readBody(request: Request, maxBytes: number): Promise<unknown> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw new ApiError("payload_too_large");
  const bytes = await readAtMost(request.body, maxBytes);
  if (!bytes) throw new ApiError("payload_too_large");
  if (bytes.length === 0) return {};
  if (!JSON_TYPE.test(request.headers.get("content-type") ?? "")) throw new ApiError("unsupported_media_type");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ApiError("malformed_json");
  }
}

/** Undefined when there is more. */
async function readAtMost(body: Request["body"], maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
