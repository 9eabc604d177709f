import { isProduction } from "./stage.js";

/**
 * Device state: the keys of every linked number. Private, versioned, encrypted, and not emptied by a removal of the stack
 * in production.
 */
export const stateBucket = new sst.aws.Bucket("State", {
  versioning: true,
  // The default opens it to every origin, although no browser ever reads it.
  cors: false,
  transform: {
    bucket: (bucket) => {
      bucket.forceDestroy = !isProduction;
      return undefined;
    },
  },
});

new aws.s3.BucketServerSideEncryptionConfiguration("StateEncryption", {
  bucket: stateBucket.name,
  rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
});

/** Log entries are in a snapshot within the hour; docs/device-state.md says why only they may expire. */
new aws.s3.BucketLifecycleConfiguration("StateLifecycle", {
  bucket: stateBucket.name,
  rules: [
    { id: "log", status: "Enabled", filter: { prefix: "log/" }, expiration: { days: 30 } },
    { id: "old-versions", status: "Enabled", filter: {}, noncurrentVersionExpiration: { noncurrentDays: 7 } },
  ],
});
