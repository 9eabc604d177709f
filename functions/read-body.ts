import { ApiError } from "../shared/errors.ts";
import type { Language } from "./language.ts";
import { boundaryOf } from "./multipart.ts";
import { readForm } from "./read-form.ts";
import type { Received } from "./read-form.ts";
import type { Route } from "./route.ts";

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

const MAX_BODY_BYTES = 256 * 1024;

/**
 * What comes with a request to a route: JSON, or a form where the route takes one. Throws as `readBody` and `readForm`,
 * and says what to do instead when it is too large.
 */
export async function receive(request: Request, route: Route, language: Language): Promise<Received> {
  const boundary = route.form && boundaryOf(request.headers.get("content-type") ?? "");
  try {
    if (route.form && boundary !== undefined) return await readForm(request, boundary, route.form);
    const body = await readBody(request, route.maxBodyBytes ?? MAX_BODY_BYTES);
    return { body, asSent: body, files: [], dispose: () => Promise.resolve() };
  } catch (error) {
    if (!route.tooLarge || !(error instanceof ApiError) || error.code !== "payload_too_large") throw error;
    throw new ApiError("payload_too_large", [{ path: "body", message: route.tooLarge[language] }]);
  }
}

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
