import type { S3Action } from "./call.ts";
import { bucketOf } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import { LARGEST_INLINE_BYTES } from "./content.ts";
import { checksumHeaders, expirationHeader, headersToKeep } from "./object-headers.ts";
import { keyText } from "./object-key.ts";
import { receiveContent } from "./receive-content.ts";
import { writeObject } from "./write-object.ts";

export const putObject: S3Action = async (context, call) => {
  const { exchange, key } = call;
  // Checked before the content is taken, to refuse early, and again when it is this writer's turn.
  checkWriteConditions(exchange, keyText(key), bucketOf(context, call).objects.get(key));
  const headers = headersToKeep(exchange);
  const content = await receiveContent(exchange, context.blobs, LARGEST_INLINE_BYTES);
  const modifiedAt = await writeObject(context, call, { content, headers });
  exchange.response.writeHead(200, {
    etag: `"${content.etag}"`,
    ...checksumHeaders(content),
    ...expirationHeader(context, call, modifiedAt),
    "content-length": 0,
  });
  exchange.response.end();
};
