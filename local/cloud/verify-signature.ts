import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { AwsError } from "./aws-error.ts";
import { uriEncode } from "./request-url.ts";
import type { RequestUrl } from "./request-url.ts";
import type { Signature } from "./signature.ts";

export type Credentials = { accessKeyId: string; secretAccessKey: string };

/** "Signature Version 4: elements of a request": requests are refused when the clocks differ by more than 15 minutes. */
const CLOCK_SKEW_MS = 15 * 60_000;
/** Signing keys: three services on two days, and some for tests that run several clouds in one process. */
const KEPT_KEYS = 16;

/**
 * Proves that the request was signed with the secret key, is of now, and covers host and every `x-amz-*` header.
 * `payloadHash` is the last line of the canonical request; that the body has this hash is checked where it is read.
 * Throws `AwsError`.
 */
export function verifySignature(
  request: IncomingMessage,
  url: RequestUrl,
  signature: Signature,
  payloadHash: string,
  credentials: Credentials,
  nowMs: number,
): void {
  if (signature.accessKeyId !== credentials.accessKeyId) throw unknownKey(signature.service);
  checkTime(signature, nowMs);
  checkCoverage(request, signature.signedHeaders);
  const canonical = [
    request.method ?? "",
    canonicalPath(url, signature.service),
    canonicalQuery(url.query),
    ...signature.signedHeaders.map((name) => `${name}:${canonicalValue(request, name)}`),
    "",
    signature.signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
  const digest = createHash("sha256").update(canonical).digest("hex");
  const toSign = ["AWS4-HMAC-SHA256", signature.timestamp, signature.scope, digest].join("\n");
  const expected = hmac(signingKey(credentials.secretAccessKey, signature.scope), toSign);
  const given = Buffer.from(signature.signature, "hex");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw wrongSignature(signature.service);
}

function unknownKey(service: string): AwsError {
  if (service === "s3") {
    return new AwsError("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records.");
  }
  const message = "The security token included in the request is invalid.";
  return new AwsError("UnrecognizedClientException", 403, message, { legacyCode: "InvalidClientTokenId" });
}

function wrongSignature(service: string): AwsError {
  const message = "The request signature we calculated does not match the signature you provided.";
  if (service === "s3") return new AwsError("SignatureDoesNotMatch", 403, message);
  return new AwsError("InvalidSignatureException", 403, message, { legacyCode: "SignatureDoesNotMatch" });
}

function checkTime({ timestamp, scope, service, accessKeyId, expiresInSeconds }: Signature, nowMs: number): void {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (parts ?? []).slice(1).map(Number);
  const signedAt = Date.UTC(year, month - 1, day, hour, minute, second);
  if (!parts || !accessKeyId || !scope.startsWith(timestamp.slice(0, 8))) {
    throw new AwsError(
      "AuthorizationHeaderMalformed",
      400,
      "The date of the request does not fit its credential scope.",
    );
  }
  if (expiresInSeconds !== undefined) {
    if (nowMs > signedAt + expiresInSeconds * 1000) throw new AwsError("AccessDenied", 403, "Request has expired");
    if (signedAt > nowMs + CLOCK_SKEW_MS) throw new AwsError("AccessDenied", 403, "Request is not valid yet");
  } else if (Math.abs(nowMs - signedAt) > CLOCK_SKEW_MS) {
    const message = "The difference between the request time and the server's time is too large.";
    throw service === "s3"
      ? new AwsError("RequestTimeTooSkewed", 403, message)
      : new AwsError("InvalidSignatureException", 403, message, { legacyCode: "SignatureDoesNotMatch" });
  }
}

function checkCoverage(request: IncomingMessage, signedHeaders: readonly string[]): void {
  const mustBeSigned = Object.keys(request.headers).filter((name) => name === "host" || name.startsWith("x-amz-"));
  const unsigned = mustBeSigned.filter((name) => !signedHeaders.includes(name));
  if (unsigned.length === 0) return;
  throw new AwsError("AccessDenied", 403, "There were headers present in the request which were not signed", {
    details: { HeadersNotSigned: unsigned.join(", ") },
  });
}

/** S3 signs the path encoded once, every other service encoded twice: once more than it was sent. */
function canonicalPath({ path, encodedPath }: RequestUrl, service: string): string {
  return (service === "s3" ? path : encodedPath).split("/").map(uriEncode).join("/");
}

function canonicalQuery(query: ReadonlyMap<string, string>): string {
  const pairs = [...query].filter(([name]) => name !== "X-Amz-Signature");
  return pairs
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function canonicalValue(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  const text = Array.isArray(value) ? value.join(",") : (value ?? "");
  return text.trim().replace(/\s+/g, " ");
}

const keys = new Map<string, Buffer>();

/** Derived once for each day and service. */
function signingKey(secret: string, scope: string): Buffer {
  const id = `${secret}/${scope}`;
  const known = keys.get(id);
  if (known) return known;
  const key = scope.split("/").reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secret}`) as Buffer;
  const [oldest] = keys.keys();
  if (keys.size >= KEPT_KEYS && oldest !== undefined) keys.delete(oldest);
  keys.set(id, key);
  return key;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
