import type { Exchange } from "../exchange.ts";
import type { StoredObject } from "./buckets.ts";
import { headerOf } from "./call.ts";
import { noSuchKey, notImplemented, preconditionFailed } from "./errors.ts";

/**
 * Conditional writes (user guide, "conditional requests"): `If-None-Match: *` creates only, `If-Match: <etag>` replaces
 * only that version. Throws `PreconditionFailed`, or `NoSuchKey` for If-Match on nothing.
 */
export function checkWriteConditions(exchange: Exchange, key: string, current: StoredObject | undefined): void {
  const ifNoneMatch = headerOf(exchange, "if-none-match");
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*") throw notImplemented("If-None-Match with an ETag on a write");
  if (ifNoneMatch === "*" && current) throw preconditionFailed("If-None-Match");
  const ifMatch = headerOf(exchange, "if-match");
  if (ifMatch === undefined) return;
  if (!current) throw noSuchKey(key);
  if (!matches(ifMatch, current.etag)) throw preconditionFailed("If-Match");
}

/** Conditional reads (RFC 9110, 13.2.2). Gives "not-modified" for 304; throws `PreconditionFailed`. */
export function checkReadConditions(exchange: Exchange, { etag, modifiedAt }: StoredObject): "send" | "not-modified" {
  const { headers } = exchange.request;
  const modifiedSecond = Math.floor(modifiedAt / 1000) * 1000;
  const ifMatch = headers["if-match"];
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, etag)) throw preconditionFailed("If-Match");
  } else if (modifiedSecond > Date.parse(headers["if-unmodified-since"] ?? "")) {
    throw preconditionFailed("If-Unmodified-Since");
  }
  const ifNoneMatch = headers["if-none-match"];
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, etag) ? "not-modified" : "send";
  return modifiedSecond <= Date.parse(headers["if-modified-since"] ?? "") ? "not-modified" : "send";
}

/** `x-amz-copy-source-if-…`: whatever does not hold refuses the copy (API reference, CopyObject). */
export function checkCopyConditions(exchange: Exchange, { etag, modifiedAt }: StoredObject): void {
  const header = (name: string) => headerOf(exchange, `x-amz-copy-source-${name}`);
  const modifiedSecond = Math.floor(modifiedAt / 1000) * 1000;
  const ifMatch = header("if-match");
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, etag)) throw preconditionFailed("x-amz-copy-source-If-Match");
  } else if (modifiedSecond > Date.parse(header("if-unmodified-since") ?? "")) {
    throw preconditionFailed("x-amz-copy-source-If-Unmodified-Since");
  }
  const ifNoneMatch = header("if-none-match");
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, etag)) throw preconditionFailed("x-amz-copy-source-If-None-Match");
  } else if (modifiedSecond <= Date.parse(header("if-modified-since") ?? "")) {
    throw preconditionFailed("x-amz-copy-source-If-Modified-Since");
  }
}

function matches(condition: string, etag: string): boolean {
  const tags = condition.split(",").map((tag) => tag.trim().replace(/^W\//, "").replaceAll('"', ""));
  return tags.includes("*") || tags.includes(etag);
}
