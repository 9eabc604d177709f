import type { S3Action } from "./call.ts";
import { bucketOf } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import { crc32Base64, headersToKeep } from "./object-headers.ts";
import { keyText } from "./object-key.ts";
import { receiveContent } from "./receive-content.ts";
import type { S3Record } from "./records.ts";

export const putObject: S3Action = async (context, call) => {
  const { blobs, locks, now } = context;
  const { exchange, key } = call;
  const keyName = keyText(key);
  // Checked before the content is taken, to refuse early, and again when it is this writer's turn.
  checkWriteConditions(exchange, keyName, bucketOf(context, call).objects.get(key));
  const headers = headersToKeep(exchange);
  const { inline, blob, ...facts } = await receiveContent(exchange, blobs);
  try {
    await locks.run(`${call.bucket}/${key}`, async () => {
      const { name: bucket, objects } = bucketOf(context, call);
      checkWriteConditions(exchange, keyName, objects.get(key));
      const record: S3Record = {
        type: "s3.object",
        bucket,
        key: keyName,
        ...facts,
        modifiedAt: now(),
        ...(headers && { headers }),
        ...(blob !== undefined && { blob }),
      };
      await context.commit({ records: [record], ...(inline && { payload: inline }) });
      // Deleted while this was on its way to the disk: the object went with the bucket.
      bucketOf(context, call);
    });
  } catch (error) {
    if (blob !== undefined) await blobs.remove(blob);
    throw error;
  }
  exchange.response.writeHead(200, {
    etag: `"${facts.etag}"`,
    "x-amz-checksum-crc32": crc32Base64(facts.crc32),
    "x-amz-checksum-type": "FULL_OBJECT",
    "content-length": 0,
  });
  exchange.response.end();
};
