import { AwsError } from "../aws-error.ts";
import type { Exchange } from "../exchange.ts";
import { listBuckets } from "./bucket-actions.ts";
import { headerOf } from "./call.ts";
import type { S3Context } from "./call.ts";
import { invalidRequest, notImplemented } from "./errors.ts";
import { checkedKeyBytes } from "./object-key.ts";
import { findRoute } from "./routes.ts";
import { sendXml, textElement } from "./xml.ts";

/** Answers one S3 request, path-style. Throws `AwsError`. */
export async function serveS3(context: S3Context, exchange: Exchange): Promise<void> {
  const { request, url } = exchange;
  exchange.verify(payloadHash(exchange));
  const [, bucket = "", keyName = ""] = /^\/([^/]*)\/?([^]*)$/.exec(url.path) ?? [];
  if (headerOf(exchange, "x-amz-server-side-encryption-customer-algorithm") !== undefined) {
    throw notImplemented("encryption with customer keys");
  }
  if (bucket === "") {
    if (request.method !== "GET") throw methodNotAllowed();
    return listBuckets(context, exchange);
  }
  const key = checkedKeyBytes(keyName);
  const copies = headerOf(exchange, "x-amz-copy-source") !== undefined;
  const route = findRoute(request.method ?? "", key === "" ? "bucket" : "object", url.query, copies);
  if (typeof route === "function") return route(context, { exchange, bucket, key });
  if (route.unknown !== undefined) throw notImplemented(`the parameter ${route.unknown}`);
  if (request.method === "GET") throw notImplemented("ListObjects; use ListObjectsV2");
  throw methodNotAllowed();
}

/** What the signature says about the body (S3 API reference, "x-amz-content-sha256"). */
function payloadHash(exchange: Exchange): string {
  const hash = headerOf(exchange, "x-amz-content-sha256");
  if (hash !== undefined) return hash;
  if (exchange.presigned) return "UNSIGNED-PAYLOAD";
  throw invalidRequest("Missing required header for this request: x-amz-content-sha256");
}

function methodNotAllowed(): AwsError {
  return new AwsError("MethodNotAllowed", 405, "The specified method is not allowed against this resource.");
}

/** A HEAD answer has no body: the SDK then goes by the status. */
export function sendS3Error(
  { request, response, requestId }: Pick<Exchange, "request" | "response" | "requestId">,
  error: AwsError,
): void {
  if (request.method === "HEAD") {
    response.writeHead(error.status);
    response.end();
    return;
  }
  const details = Object.entries(error.details).map(([name, value]) => textElement(name, value));
  const parts = [textElement("Code", error.code), textElement("Message", error.message), ...details];
  sendXml(response, error.status, `<Error>${parts.join("")}${textElement("RequestId", requestId)}</Error>`);
}
