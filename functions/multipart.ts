/** The parts of a `multipart/form-data` body (RFC 7578) as they come: none of them is in memory as a whole. */

/** `content` must be read to its end before the next part is asked for. */
export type Part = { name: string; fileName: string | undefined; content: AsyncIterable<Buffer> };

/** The body does not keep to the format. */
export class MultipartError extends Error {
  override readonly name = "MultipartError";
}

const LINE_END = Buffer.from("\r\n");
const HEADERS_END = Buffer.from("\r\n\r\n");
const MAX_HEADER_BYTES = 8 * 1024;
const BOUNDARY = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;

/** The boundary that a `Content-Type` names; undefined when it is of something else. */
export function boundaryOf(contentType: string): string | undefined {
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? [];
  return quoted ?? plain;
}

/** Throws `MultipartError`, and what the body throws. */
export async function* parts(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Part> {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first boundary stands at the beginning, or after a preamble that means nothing.
  const reader = new Reader(body, LINE_END);
  await drain(reader.until(delimiter));
  for (;;) {
    const next = await reader.take(LINE_END.length);
    if (next.equals(Buffer.from("--"))) return;
    if (!next.equals(LINE_END)) throw new MultipartError("a boundary is not on a line of its own");
    const headers: Buffer[] = [];
    let headerBytes = 0;
    for await (const chunk of reader.until(HEADERS_END)) {
      headers.push(chunk);
      headerBytes += chunk.length;
      if (headerBytes > MAX_HEADER_BYTES) throw new MultipartError("the headers of a part are too long");
    }
    const content = reader.until(delimiter);
    yield { ...describe(Buffer.concat(headers).toString()), content };
    await drain(content);
  }
}

async function drain(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _chunk of chunks);
}

/** Browsers write `"` and line ends in names as %22, %0D and %0A (WHATWG HTML, multipart/form-data encoding). */
function describe(headers: string): Pick<Part, "name" | "fileName"> {
  const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(headers)?.[1];
  const parameter = (wanted: string) =>
    new RegExp(`(?:^|[;\\s])${wanted}="([^"]*)"`, "i")
      .exec(disposition ?? "")?.[1]
      ?.replaceAll("%22", '"')
      .replaceAll(/%0d|%0a/gi, " ");
  const name = parameter("name");
  if (name === undefined) throw new MultipartError("a part has no name");
  return { name, fileName: parameter("filename") };
}

/** Bytes that come in pieces, read up to a mark. */
class Reader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #buffer: Buffer;

  constructor(source: AsyncIterable<Uint8Array>, first: Buffer) {
    this.#chunks = source[Symbol.asyncIterator]();
    this.#buffer = first;
  }

  /** What comes before the mark; the mark itself is passed over. */
  async *until(mark: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#buffer.indexOf(mark);
      if (at >= 0) {
        const last = this.#buffer.subarray(0, at);
        this.#buffer = this.#buffer.subarray(at + mark.length);
        if (last.length) yield last;
        return;
      }
      // The mark may have begun.
      const sure = this.#buffer.length - mark.length + 1;
      if (sure > 0) {
        const chunk = this.#buffer.subarray(0, sure);
        this.#buffer = this.#buffer.subarray(sure);
        yield chunk;
      }
      await this.#fill();
    }
  }

  async take(bytes: number): Promise<Buffer> {
    while (this.#buffer.length < bytes) await this.#fill();
    const taken = this.#buffer.subarray(0, bytes);
    this.#buffer = this.#buffer.subarray(bytes);
    return taken;
  }

  async #fill(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done) throw new MultipartError("the body ends in the midst of a part");
    this.#buffer = this.#buffer.length ? Buffer.concat([this.#buffer, next.value]) : Buffer.from(next.value);
  }
}
