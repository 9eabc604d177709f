import { isProduction } from "./stage.js";

/** Private, encrypted, over TLS only, and in production not emptied by a removal of the stack. */
function privateBucket(name: string, versioning: boolean) {
  const bucket = new sst.aws.Bucket(name, {
    versioning,
    // The default opens it to every origin, although no browser script ever reads it.
    cors: false,
    transform: {
      bucket: (args) => {
        args.forceDestroy = !isProduction;
        return undefined;
      },
    },
  });
  new aws.s3.BucketServerSideEncryptionConfiguration(`${name}Encryption`, {
    bucket: bucket.name,
    rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
  });
  return bucket;
}

/** Device state: the keys of every linked number. Only the socket host may touch it. */
export const stateBucket = privateBucket("State", true);

/** Log entries are in a snapshot within the hour; docs/device-state.md says why only they may expire. */
new aws.s3.BucketLifecycleConfiguration("StateLifecycle", {
  bucket: stateBucket.name,
  rules: [
    { id: "log", status: "Enabled", filter: { prefix: "log/" }, expiration: { days: 30 } },
    { id: "old-versions", status: "Enabled", filter: {}, noncurrentVersionExpiration: { noncurrentDays: 7 } },
  ],
});

/** Files on their way in and out, and the answers of reading commands. Everything in it expires. */
export const mediaBucket = privateBucket("Media", false);

new aws.s3.BucketLifecycleConfiguration("MediaLifecycle", {
  bucket: mediaBucket.name,
  rules: [
    { id: "results", status: "Enabled", filter: { prefix: "results/" }, expiration: { days: 1 } },
    { id: "uploads", status: "Enabled", filter: { prefix: "uploads/" }, expiration: { days: 1 } },
    { id: "received", status: "Enabled", filter: { prefix: "received/" }, expiration: { days: 30 } },
    { id: "media", status: "Enabled", filter: { prefix: "media/" }, expiration: { days: 30 } },
    { id: "unfinished", status: "Enabled", filter: {}, abortIncompleteMultipartUpload: { daysAfterInitiation: 1 } },
  ],
});
