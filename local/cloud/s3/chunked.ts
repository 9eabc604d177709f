import { incompleteBody, invalidRequest } from "./errors.ts";

/** Far more than a size line or a trailer needs. */
const LONGEST_LINE_BYTES = 4096;

/**
 * Takes an `aws-chunked` body apart: `<size in hex>\r\n<data>\r\n`, …, `0\r\n`, then trailers and an empty line.
 * The trailers are put into `trailers` with lower-case names. Throws `IncompleteBody` or `InvalidRequest`.
 * (S3 API reference, "Signature calculations: including trailing headers".)
 */
export async function* decodeChunks(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const reader = new LineReader(source);
  for (;;) {
    const size = parseSize(await reader.line());
    if (size === 0) break;
    let left = size;
    while (left > 0) {
      const data = await reader.some(left);
      left -= data.length;
      yield data;
    }
    if ((await reader.line()) !== "") throw invalidRequest("A chunk is longer than it says.");
  }
  for (;;) {
    const line = await reader.line();
    if (line === "") return;
    const colon = line.indexOf(":");
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}

function parseSize(line: string | undefined): number {
  const size = /^([0-9a-f]{1,8})(;.*)?$/i.exec(line ?? "")?.[1];
  if (size === undefined) throw invalidRequest("The size of a chunk is missing.");
  return Number.parseInt(size, 16);
}

class LineReader {
  readonly #source: AsyncIterator<Buffer>;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Up to the next line end, without it. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#bytes.indexOf("\r\n");
      if (end !== -1) {
        const line = this.#bytes.toString("latin1", 0, end);
        this.#bytes = this.#bytes.subarray(end + 2);
        return line;
      }
      if (this.#bytes.length > LONGEST_LINE_BYTES) throw invalidRequest("A line between chunks is too long.");
      await this.#more();
    }
  }

  /** Between 1 and `max` bytes. */
  async some(max: number): Promise<Buffer> {
    while (this.#bytes.length === 0) await this.#more();
    const part = this.#bytes.subarray(0, max);
    this.#bytes = this.#bytes.subarray(part.length);
    return part;
  }

  async #more(): Promise<void> {
    const next = await this.#source.next();
    if (next.done) throw incompleteBody();
    this.#bytes = this.#bytes.length === 0 ? next.value : Buffer.concat([this.#bytes, next.value]);
  }
}
