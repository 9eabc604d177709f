import { ApiError } from "../shared/errors.ts";
import { Scratch } from "../shared/scratch.ts";
import type { ScratchFile } from "../shared/scratch.ts";
import { MultipartError, parts } from "./multipart.ts";

/** A file of a form, as long as its request lasts. */
export type FormFile = ScratchFile & { field: string; fileName: string | undefined };

/**
 * What came with a request. `asSent` is all of it in JSON, files by their hashes: what an Idempotency-Key stands for.
 * `dispose` removes the files.
 */
export type Received = { body: unknown; asSent: unknown; files: readonly FormFile[]; dispose: () => Promise<void> };

export type FormLimits = {
  /** Of everything together, and of one file. */
  maxBytes: number;
  maxFileBytes: number;
  /** Fields whose text is JSON. */
  jsonFields: readonly string[];
};

const MAX_PARTS = 200;
const MAX_FIELD_BYTES = 1024 * 1024;

/**
 * A form with files, which go to the disk while they come. Of fields that come twice the last counts.
 * Throws `payload_too_large` or `validation_failed`.
 */
export async function readForm(request: Request, boundary: string, limits: FormLimits): Promise<Received> {
  const { maxBytes, maxFileBytes, jsonFields } = limits;
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw new ApiError("payload_too_large");
  const scratch = new Scratch();
  const body: Record<string, unknown> = {};
  const files: FormFile[] = [];
  let count = 0;
  try {
    for await (const { name: field, fileName, content } of parts(atMost(request.body ?? [], maxBytes), boundary)) {
      count += 1;
      if (count > MAX_PARTS) throw malformed("too many parts");
      if (fileName === undefined) {
        setField(body, field, await readText(content), jsonFields);
        continue;
      }
      const kept = await scratch.keep(content, maxFileBytes);
      if (kept === "too large") throw new ApiError("payload_too_large");
      files.push({ ...kept, field, fileName: fileName || undefined });
    }
  } catch (error) {
    await scratch.dispose();
    throw error instanceof MultipartError ? malformed(error.message) : error;
  }
  const asSent = { ...body, files: files.map(({ field, sha256 }) => [field, sha256]) };
  return { body, asSent, files, dispose: () => scratch.dispose() };
}

/**
 * An empty field is one that was not filled in. Text that is no JSON stays text, and the schema says what is wrong with it.
 */
function setField(body: Record<string, unknown>, name: string, text: string, jsonFields: readonly string[]): void {
  if (text === "") return;
  let value: unknown = text;
  if (jsonFields.includes(name)) {
    try {
      value = JSON.parse(text);
    } catch {
      value = text;
    }
  }
  // A field may have any name, also that of a prototype.
  Object.defineProperty(body, name, { value, enumerable: true, configurable: true, writable: true });
}

async function readText(content: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > MAX_FIELD_BYTES) throw new ApiError("payload_too_large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

async function* atMost(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, maxBytes: number) {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new ApiError("payload_too_large");
    yield chunk;
  }
}

const malformed = (message: string) => new ApiError("validation_failed", [{ path: "body", message }]);
