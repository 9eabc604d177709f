import { AwsError } from "../aws-error.ts";
import type { Exchange } from "../exchange.ts";
import { createBucket, deleteBucket, headBucket, listBuckets } from "./bucket-actions.ts";
import { headerOf } from "./call.ts";
import type { S3Action, S3Context } from "./call.ts";
import { deleteObject, deleteObjects } from "./delete-objects.ts";
import { invalidRequest, notImplemented } from "./errors.ts";
import { getObject, headObject } from "./get-object.ts";
import { listObjects } from "./list-objects.ts";
import { checkedKeyBytes } from "./object-key.ts";
import { putObject } from "./put-object.ts";
import { sendXml, textElement } from "./xml.ts";

const OBJECT_ACTIONS: Partial<Record<string, S3Action>> = {
  DELETE: deleteObject,
  GET: getObject,
  HEAD: headObject,
  PUT: putObject,
};
const BUCKET_ACTIONS: Partial<Record<string, S3Action>> = {
  DELETE: deleteBucket,
  HEAD: headBucket,
  PUT: createBucket,
};
/** Parameters that go with the actions above. Any other one asks for something else, which must not be mistaken. */
const KNOWN_PARAMETER =
  /^(x-id|x-amz-.*|response-.*|list-type|prefix|delimiter|max-keys|start-after|continuation-token|encoding-type|fetch-owner|delete)$/i;

/** Answers one S3 request, path-style. Throws `AwsError`. */
export async function serveS3(context: S3Context, exchange: Exchange): Promise<void> {
  const { request, url } = exchange;
  exchange.verify(payloadHash(exchange));
  const [, bucket = "", keyName = ""] = /^\/([^/]*)\/?([^]*)$/.exec(url.path) ?? [];
  const other = [...url.query.keys()].find((name) => !KNOWN_PARAMETER.test(name));
  if (other !== undefined) throw notImplemented(`the parameter ${other}`);
  if (headerOf(exchange, "x-amz-copy-source") !== undefined) throw notImplemented("copying");
  if (headerOf(exchange, "x-amz-server-side-encryption-customer-algorithm") !== undefined) {
    throw notImplemented("encryption with customer keys");
  }
  if (bucket === "") {
    if (request.method !== "GET") throw methodNotAllowed();
    return listBuckets(context, exchange);
  }
  const key = checkedKeyBytes(keyName);
  const action = key === "" ? bucketAction(exchange) : OBJECT_ACTIONS[request.method ?? ""];
  if (!action) throw methodNotAllowed();
  return action(context, { exchange, bucket, key });
}

function bucketAction({ request, url }: Exchange): S3Action | undefined {
  if (request.method === "POST" && url.query.has("delete")) return deleteObjects;
  if (request.method !== "GET") return BUCKET_ACTIONS[request.method ?? ""];
  if (url.query.get("list-type") !== "2") throw notImplemented("ListObjects; use ListObjectsV2");
  return listObjects;
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
