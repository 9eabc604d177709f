import type { LifecycleRule } from "./lifecycle-rule.ts";

/** What the journal holds of S3. Times are Unix milliseconds. */
export type S3Record =
  | { type: "s3.bucket"; name: string; createdAt: number }
  /** With it go its unfinished uploads and its lifecycle. */
  | { type: "s3.bucketDeleted"; name: string }
  /** Replaces the rules that the bucket had. */
  | { type: "s3.lifecycle"; bucket: string; rules: LifecycleRule[] }
  /** The content is the blob, or else the transaction's payload (none for an empty object). */
  | ({ type: "s3.object"; bucket: string; key: string; blob?: string | undefined } & ObjectFacts)
  | { type: "s3.objectDeleted"; bucket: string; key: string }
  | ({ type: "s3.upload"; bucket: string; upload: string; key: string } & UploadFacts)
  | ({ type: "s3.part"; bucket: string; upload: string; number: number } & PartFacts)
  /** Completed (the object is in the same transaction) or aborted. The parts are not needed any more. */
  | { type: "s3.uploadEnded"; bucket: string; upload: string; completed?: CompletedUpload | undefined };

type ObjectFacts = {
  size: number;
  /** Without quotes: the MD5 in hex, or that of the parts' MD5s and their number. */
  etag: string;
  /** Of the whole content. */
  crc32: number;
  /** The checksum that clients see instead: that of the parts' checksums and their number. */
  compositeCrc32?: string | undefined;
  modifiedAt: number;
  /** Content-type and the like, and user metadata as `x-amz-meta-…`; absent for a plain object. */
  headers?: Record<string, string> | undefined;
};

/** What a repetition of the request is answered with. `request` is the hash of the parts that it named. */
export type CompletedUpload = { key: string; request: string } & Pick<
  ObjectFacts,
  "etag" | "crc32" | "compositeCrc32" | "modifiedAt"
>;

export type ChecksumType = "COMPOSITE" | "FULL_OBJECT";

export type UploadFacts = {
  startedAt: number;
  /** For the object that it becomes. */
  headers?: Record<string, string> | undefined;
  /** Absent: the client did not ask for a checksum. */
  checksumType?: ChecksumType | undefined;
};

/** The content of a part is always a blob. */
export type PartFacts = { size: number; etag: string; crc32: number; blob: string; modifiedAt: number };
