import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { AwsError } from "./aws-error.ts";
import type { Exchange } from "./exchange.ts";
import { parseRequestUrl } from "./request-url.ts";
import { sendS3Error } from "./s3/serve.ts";
import { sendSchedulerError } from "./scheduler/serve.ts";
import { parseSignature } from "./signature.ts";
import { sendSqsError } from "./sqs/serve.ts";
import type { CloudStatus } from "./status.ts";
import { StorageError } from "./store/journal.ts";
import { verifySignature } from "./verify-signature.ts";
import type { Credentials } from "./verify-signature.ts";

const SERVICES = ["s3", "scheduler", "sqs"] as const;
type Service = (typeof SERVICES)[number];

type Answering = {
  status: () => CloudStatus;
  serve: (exchange: Exchange, service: Service) => Promise<void>;
  credentials: Credentials;
  now: () => number;
  gone: AbortSignal;
};

/** Answers one request: finds out which service it is for, and puts every failure into the form of that service. */
export async function answer(request: IncomingMessage, response: ServerResponse, answering: Answering): Promise<void> {
  const { credentials, now, gone } = answering;
  const requestId = randomUUID();
  let service: Service = request.headers["x-amz-target"] === undefined ? "s3" : "sqs";
  try {
    // The SDKs set their clock by it.
    response.setHeader("date", new Date(now()).toUTCString());
    if (request.url === "/_status") return sendStatus(request, response, answering.status());
    response.setHeader(service === "s3" ? "x-amz-request-id" : "x-amzn-requestid", requestId);
    const url = parseRequestUrl(request.url ?? "");
    const signature = parseSignature(request, url);
    if (!signature) throw unsigned(service);
    const named = SERVICES.find((known) => known === signature.service);
    if (!named) throw unknownService(signature.service);
    service = named;
    const verify = (hash: string) => verifySignature(request, url, signature, hash, credentials, now());
    const presigned = signature.expiresInSeconds !== undefined;
    await answering.serve({ request, response, url, requestId, verify, presigned, gone }, service);
  } catch (error) {
    // The client hung up in the middle: there is nobody to tell.
    if (response.destroyed) return;
    const refusal = error instanceof AwsError ? error : internalError(error);
    if (response.headersSent) response.destroy();
    else if (service === "sqs") sendSqsError(response, refusal);
    else if (service === "scheduler") sendSchedulerError(response, refusal);
    else sendS3Error({ request, response, requestId }, refusal);
  } finally {
    // What was not read of the body would stand before the next request of the connection.
    request.resume();
  }
}

/** Not for other web sites: a page that had its own name resolve to 127.0.0.1 would come with that name. */
function sendStatus(request: IncomingMessage, response: ServerResponse, status: CloudStatus): void {
  const allowed = request.method === "GET" && /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? "");
  response.writeHead(allowed ? 200 : 403, { "content-type": "application/json" });
  response.end(allowed ? JSON.stringify(status) : "{}");
}

function unsigned(service: Service): AwsError {
  if (service === "s3") return new AwsError("AccessDenied", 403, "Access Denied");
  const message = "Request is missing Authentication Token";
  return new AwsError("MissingAuthenticationTokenException", 403, message, {
    legacyCode: "MissingAuthenticationToken",
  });
}

function unknownService(service: string): AwsError {
  return new AwsError("UnknownService", 400, `The local cloud speaks ${SERVICES.join(", ")}, not ${service}.`);
}

function internalError(error: unknown): AwsError {
  if (error instanceof StorageError) return new AwsError("InternalError", 500, error.message);
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG" || code === "EIO") {
    return new AwsError("InternalError", 500, `the local cloud could not write to its data directory: ${message}`);
  }
  reportFailure(error);
  return new AwsError("InternalError", 500, "We encountered an internal error. Please try again.");
}

/** For failures that no client can be told about, or that are a fault of this program. */
export function reportFailure(error: unknown): void {
  process.stderr.write(`local cloud: ${error instanceof Error ? error.stack : String(error)}\n`);
}
