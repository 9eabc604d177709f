import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestUrl } from "./request-url.ts";

/** One request on its way through the cloud. */
export type Exchange = {
  request: IncomingMessage;
  response: ServerResponse;
  url: RequestUrl;
  requestId: string;
  /** Proves the signature, given the last line of the canonical request. Throws `AwsError`. */
  verify: (payloadHash: string) => void;
  /** The signature came in the query: the other `X-Amz-*` parameters stand for headers. */
  presigned: boolean;
  /** Given when the client hangs up before it has its answer, or the cloud stops. */
  gone: AbortSignal;
};
