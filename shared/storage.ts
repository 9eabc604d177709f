import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

export type StoredObject = { body: Buffer; etag: string };

/**
 * One bucket with conditional writes: the ground that device state stands on. Whatever is not an expected outcome
 * (no network, refused access, a request that hangs) is thrown as the SDK's error after the SDK's own retries; the
 * write may then have happened or not.
 */
export type Storage = {
  get(key: string): Promise<StoredObject | undefined>;
  /**
   * "exists" also when an earlier attempt of this very call was stored and its reply lost: a caller that must know
   * writes something that only it can have written, and reads it back.
   */
  createIfAbsent(key: string, body: Buffer): Promise<"created" | "exists">;
  /** Replaces the version that has this ETag; `undefined` means that there must be none. "changed" as "exists" above. */
  replaceIf(key: string, body: Buffer, etag: string | undefined): Promise<{ etag: string } | "changed">;
  /** Every key under the prefix that sorts after `startAfter`, in the order of their UTF-8 bytes. */
  list(prefix: string, startAfter?: string): Promise<string[]>;
  /** As `list`, with the size of each object in bytes. */
  listSized(prefix: string, startAfter?: string): Promise<{ key: string; bytes: number }[]>;
  /** The names directly under the prefix that have keys below them, without slash, in the order of `list`. */
  listFolders(prefix: string): Promise<string[]>;
  /** Deleting what is not there is no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** Throws a one-line error when the bucket cannot be used, above all when it ignores conditional headers. */
  selfTest(): Promise<void>;
  close(): void;
};

/** Most keys of one DeleteObjects request (S3 API reference). */
const DELETE_BATCH = 1000;
/** A conditional write that meets another one in flight is answered 409 and may be repeated (S3 user guide, conditional writes). */
const CONFLICT_ATTEMPTS = 8;
const CONFLICT_PAUSE_MS = 25;
const REQUEST_TIMEOUT_MS = 10_000;

/** The SDK is loaded by the first request: most requests to the API need no bucket, and its cold start not to wait for it. */
async function openClient() {
  const sdk = await import("./aws/s3.ts");
  const client = new sdk.S3Client({
    forcePathStyle: true,
    maxAttempts: 3,
    // The steps of a request are put together once for each kind of request, not for each request: half of what one costs.
    cacheMiddleware: true,
    // The signature covers a hash of the body, which the store checks; a second one would tell nothing more.
    requestChecksumCalculation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: 3_000,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      // The limit above ends with the headers of the answer; this one covers a body that stops coming.
      socketTimeout: REQUEST_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: 128 },
      httpsAgent: { keepAlive: true, maxSockets: 128 },
    },
  });
  return { sdk, client };
}

/** Endpoint, region and credentials come from the AWS SDK's own environment variables. Sends nothing yet. */
export function openStorage(bucket: string): Storage {
  let opened: ReturnType<typeof openClient> | undefined;
  const open = () => (opened ??= openClient());

  type Condition = { IfNoneMatch: "*" } | { IfMatch: string };
  async function putIf(key: string, body: Buffer, condition: Condition): Promise<{ etag: string } | "refused"> {
    const { sdk, client } = await open();
    const command = new sdk.PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ...condition });
    for (let attempt = 1; ; attempt++) {
      try {
        const { ETag: etag } = await client.send(command);
        if (!etag) throw new Error(`the object store answered no ETag for ${key}`);
        return { etag };
      } catch (error) {
        const status = statusOf(error);
        // 404: If-Match for an object that is not there (S3 API reference, PutObject).
        if (status === 412 || (status === 404 && "IfMatch" in condition && isNamed(error, "NoSuchKey")))
          return "refused";
        if (status !== 409 || attempt === CONFLICT_ATTEMPTS) throw error;
        await pause(CONFLICT_PAUSE_MS * attempt);
      }
    }
  }

  const storage: Storage = {
    async get(key) {
      const { sdk, client } = await open();
      try {
        const { Body: body, ETag: etag } = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }));
        if (!body || !etag) throw new Error(`the object store answered ${key} without body or ETag`);
        return { body: Buffer.from(await body.transformToByteArray()), etag };
      } catch (error) {
        if (isNamed(error, "NoSuchKey")) return undefined;
        throw error;
      }
    },

    async createIfAbsent(key, body) {
      return (await putIf(key, body, { IfNoneMatch: "*" })) === "refused" ? "exists" : "created";
    },

    async replaceIf(key, body, etag) {
      const outcome = await putIf(key, body, etag === undefined ? { IfNoneMatch: "*" } : { IfMatch: etag });
      return outcome === "refused" ? "changed" : outcome;
    },

    async list(prefix, startAfter) {
      return (await storage.listSized(prefix, startAfter)).map(({ key }) => key);
    },

    async listSized(prefix, startAfter) {
      const { sdk, client } = await open();
      const objects: { key: string; bytes: number }[] = [];
      let token: string | undefined;
      do {
        const from = token ? { ContinuationToken: token } : startAfter ? { StartAfter: startAfter } : {};
        const page = await client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...from }));
        for (const { Key: key, Size: bytes = 0 } of page.Contents ?? [])
          if (key !== undefined) objects.push({ key, bytes });
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token);
      return objects;
    },

    async listFolders(prefix) {
      const { sdk, client } = await open();
      const folders: string[] = [];
      let token: string | undefined;
      do {
        const from = token ? { ContinuationToken: token } : {};
        const request = new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: "/", ...from });
        const page = await client.send(request);
        for (const { Prefix: folder } of page.CommonPrefixes ?? []) {
          if (folder !== undefined) folders.push(folder.slice(prefix.length, -1));
        }
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token);
      return folders;
    },

    async delete(keys) {
      const { sdk, client } = await open();
      for (let at = 0; at < keys.length; at += DELETE_BATCH) {
        const Objects = keys.slice(at, at + DELETE_BATCH).map((Key) => ({ Key }));
        const { Errors: errors } = await client.send(
          new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
        );
        const first = errors?.[0];
        if (first) throw new Error(`the object store did not delete ${first.Key}: ${first.Code}`);
      }
    },

    selfTest: () => selfTest(storage, bucket),
    close: () => void opened?.then(({ client }) => client.destroy()),
  };
  return storage;
}

/**
 * Some stores accept conditional headers and ignore them. Two hosts would then both believe that they own a device,
 * so such a bucket is refused before anything rests on it.
 */
async function selfTest(storage: Storage, bucket: string): Promise<void> {
  const key = `self-test/${randomBytes(8).toString("hex")}`;
  const refuse = (why: string) => new Error(`bucket ${bucket} cannot hold device state: it ${why}`);
  try {
    if ((await storage.createIfAbsent(key, Buffer.from("first"))) !== "created") throw refuse("refuses a new object");
    if ((await storage.createIfAbsent(key, Buffer.from("second"))) !== "exists") throw refuse("ignores If-None-Match");
    const first = await storage.get(key);
    if (first?.body.toString() !== "first") throw refuse("does not return what was written");
    const replaced = await storage.replaceIf(key, Buffer.from("third"), first.etag);
    if (replaced === "changed") throw refuse("refuses If-Match with the right ETag");
    if ((await storage.replaceIf(key, Buffer.from("fourth"), first.etag)) !== "changed")
      throw refuse("ignores If-Match");
    if (!(await storage.list("self-test/")).includes(key)) throw refuse("does not list a new object at once");
    await storage.delete([key]);
    if (await storage.get(key)) throw refuse("does not delete");
  } finally {
    // What is left behind does no harm, and must not hide what went wrong.
    await storage.delete([key]).catch(() => undefined);
  }
}

/** Of an error that the service answered (`ServiceException` of the SDK); undefined of any other. */
function statusOf(error: unknown): number | undefined {
  const answered = error instanceof Error && "$metadata" in error ? error.$metadata : undefined;
  return (answered as { httpStatusCode?: number } | undefined)?.httpStatusCode;
}
const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name;
