import { MAX_FILE_BYTES, MEDIA_HOST } from "../media/media-library.ts";
import { node } from "../wire/node.ts";
import type { Answer, Query } from "./answer-iq.ts";

/** Where media go, and by which token the host knows who brings them. */
export function answerMediaConnection({ device }: Query): Answer {
  const host = node("host", { hostname: MEDIA_HOST, type: "primary", maxContentLengthBytes: String(MAX_FILE_BYTES) });
  const { mediaAuth: auth } = device;
  return [node("media_conn", { auth, ttl: "3600", auth_ttl: "3600", max_buckets: "12" }, [host])];
}
