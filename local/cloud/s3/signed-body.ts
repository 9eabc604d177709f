import { createHash } from "node:crypto";
import { AwsError } from "../aws-error.ts";
import { readBody } from "../body.ts";
import type { Exchange } from "../exchange.ts";
import { headerOf } from "./call.ts";

/** Reads a document (not an object) and checks that it is the one that was signed. Throws `AwsError`. */
export async function readSignedBody(exchange: Exchange, limitBytes: number): Promise<Buffer> {
  const body = await readBody(exchange.request, limitBytes);
  const hash = headerOf(exchange, "x-amz-content-sha256") ?? "";
  if (/^[0-9a-f]{64}$/.test(hash) && hash !== createHash("sha256").update(body).digest("hex")) throw wrongSha256();
  return body;
}

export function wrongSha256(): AwsError {
  const message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
  return new AwsError("XAmzContentSHA256Mismatch", 400, message);
}
