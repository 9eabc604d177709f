import type { IncomingMessage } from "node:http";
import { AwsError } from "./aws-error.ts";
import type { RequestUrl } from "./request-url.ts";

/** What a request claims about itself; nothing of it is proven before `verifySignature`. */
export type Signature = {
  /** From the credential scope: which service the request is meant for. */
  service: string;
  accessKeyId: string;
  scope: string;
  signedHeaders: string[];
  signature: string;
  /** `YYYYMMDDTHHMMSSZ` */
  timestamp: string;
  /** Set when the signature came in the query: how long it is valid, in seconds. */
  expiresInSeconds: number | undefined;
};

/** "Authenticating requests using query parameters": at most seven days. */
const LONGEST_EXPIRY_SECONDS = 7 * 24 * 3600;

/** Reads the signature from the header or the query; undefined when there is none. Throws when there is half of one. */
export function parseSignature(request: IncomingMessage, url: RequestUrl): Signature | undefined {
  const { query } = url;
  if (query.has("X-Amz-Signature") || query.has("X-Amz-Algorithm")) return parsePresigned(query);
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const parts = /^AWS4-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)$/.exec(
    header,
  );
  const [, credential = "", signedHeaders = "", signature = ""] = parts ?? [];
  const timestamp = request.headers["x-amz-date"];
  if (!parts || typeof timestamp !== "string") {
    throw new AwsError("AuthorizationHeaderMalformed", 400, "The authorization header is malformed.");
  }
  return {
    ...parseCredential(credential),
    signedHeaders: signedHeaders.split(";"),
    signature,
    timestamp,
    expiresInSeconds: undefined,
  };
}

function parsePresigned(query: ReadonlyMap<string, string>): Signature {
  const algorithm = query.get("X-Amz-Algorithm");
  const credential = query.get("X-Amz-Credential");
  const signedHeaders = query.get("X-Amz-SignedHeaders");
  const signature = query.get("X-Amz-Signature");
  const timestamp = query.get("X-Amz-Date");
  const expires = query.get("X-Amz-Expires");
  if (algorithm !== "AWS4-HMAC-SHA256") throw queryError('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
  if (!credential || !signedHeaders || !signature || !timestamp || !expires) {
    throw queryError(
      "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders and X-Amz-Expires are required",
    );
  }
  const expiresInSeconds = Number(expires);
  if (!/^\d+$/.test(expires) || expiresInSeconds < 1 || expiresInSeconds > LONGEST_EXPIRY_SECONDS) {
    throw queryError("X-Amz-Expires must be a number between 1 and 604800 seconds");
  }
  return {
    ...parseCredential(credential),
    signedHeaders: signedHeaders.split(";"),
    signature,
    timestamp,
    expiresInSeconds,
  };
}

function parseCredential(credential: string): Pick<Signature, "accessKeyId" | "scope" | "service"> {
  const parts = /^([^/]+)\/(\d{8}\/[^/]+\/([^/]+)\/aws4_request)$/.exec(credential);
  const [, accessKeyId, scope, service] = parts ?? [];
  if (!accessKeyId || !scope || !service) {
    throw new AwsError("AuthorizationHeaderMalformed", 400, "The credential scope is malformed.");
  }
  return { accessKeyId, scope, service };
}

function queryError(message: string): AwsError {
  return new AwsError("AuthorizationQueryParametersError", 400, message);
}
