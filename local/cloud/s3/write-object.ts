import { bucketOf } from "./call.ts";
import type { S3Call, S3Context } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import type { Content } from "./content.ts";
import { keyText } from "./object-key.ts";
import type { S3Record } from "./records.ts";

type Written = {
  content: Content;
  headers: Record<string, string> | undefined;
  compositeCrc32?: string;
  /** The end of the upload that this completes. */
  endOfUpload?: (modifiedAt: number) => S3Record;
};

/**
 * Makes the content the object of the call's key, if the conditions of the request hold when it is this writer's turn.
 * Gives the time of modification. Throws `AwsError` or `StorageError`; the content's blob is then removed.
 */
export async function writeObject(context: S3Context, call: S3Call, written: Written): Promise<number> {
  const { content, headers, compositeCrc32, endOfUpload } = written;
  const { inline, blob, ...facts } = content;
  const key = keyText(call.key);
  try {
    return await context.locks.run(`${call.bucket}/${call.key}`, async () => {
      const { name: bucket, objects } = bucketOf(context, call);
      checkWriteConditions(call.exchange, key, objects.get(call.key));
      const modifiedAt = context.now();
      const record: S3Record = {
        type: "s3.object",
        bucket,
        key,
        ...facts,
        modifiedAt,
        compositeCrc32,
        headers,
        blob,
      };
      const end = endOfUpload ? [endOfUpload(modifiedAt)] : [];
      await context.commit({ records: [record, ...end], ...(inline && { payload: inline }) });
      // Deleted while this was on its way to the disk: the object went with the bucket.
      bucketOf(context, call);
      return modifiedAt;
    });
  } catch (error) {
    if (blob !== undefined) await context.blobs.remove(blob);
    throw error;
  }
}
