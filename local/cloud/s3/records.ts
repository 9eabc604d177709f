/** What the journal holds of S3. Times are Unix milliseconds. */
export type S3Record =
  | { type: "s3.bucket"; name: string; createdAt: number }
  | { type: "s3.bucketDeleted"; name: string }
  /** The content is the blob, or else the transaction's payload (none for an empty object). */
  | ({ type: "s3.object"; bucket: string; key: string; blob?: string } & ObjectFacts)
  | { type: "s3.objectDeleted"; bucket: string; key: string };

type ObjectFacts = {
  size: number;
  /** MD5 in hex, without quotes. */
  etag: string;
  crc32: number;
  modifiedAt: number;
  /** Content-type and the like, and user metadata as `x-amz-meta-…`; absent for a plain object. */
  headers?: Record<string, string>;
};
