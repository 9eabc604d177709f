import type { IncomingMessage } from "node:http";
import { AwsError } from "./aws-error.ts";

/**
 * The body as it arrives. Leaving the loop early does not hang up on the client, which has yet to hear why.
 */
export function bodyOf(request: IncomingMessage): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

/** Reads a whole body. Throws `RequestEntityTooLarge` (413) as soon as it is longer than `limitBytes`. */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of bodyOf(request)) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw new AwsError("RequestEntityTooLarge", 413, `A body has at most ${limitBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
