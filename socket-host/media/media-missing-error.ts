/** The file of a message is not in the bucket, or not any more. */
export class MediaMissingError extends Error {
  override readonly name = "MediaMissingError";
}
