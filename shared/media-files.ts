import { createReadStream } from "node:fs";
import { Readable } from "node:stream";

/** What a browser is told of a file that it downloads. */
export type FileAbout = { mimetype: string; fileName?: string | undefined };
export type OpenFile = { body: Readable; sizeBytes: number; etag: string };

/**
 * The files of the media bucket, as streams: none is ever in memory as a whole. What is no expected outcome is thrown as
 * the SDK's error.
 */
export type MediaFiles = {
  put(key: string, file: { path: string; sizeBytes: number }, about: FileAbout): Promise<void>;
  /** The stream must be read or destroyed. */
  open(key: string): Promise<OpenFile | undefined>;
  /** Gives the version with this ETag another name as well. "changed": it has gone, or was replaced. */
  copy(from: string, etag: string, to: string, about: FileAbout): Promise<"copied" | "changed">;
  /** Where exactly so many bytes may be PUT, by whoever has the URL. */
  uploadUrl(key: string, file: { mimetype: string; sizeBytes: number }, seconds: number): Promise<string>;
  /** Where a file may be fetched by whoever has the URL; it is saved, never shown as a page. */
  downloadUrl(key: string, seconds: number): Promise<string>;
  /** At most 1,000. Deleting what is not there is no error. */
  delete(keys: readonly string[]): Promise<void>;
  close(): void;
};

const REQUEST_TIMEOUT_MS = 30_000;
const SOCKET_TIMEOUT_MS = 10_000;
/** The SDK does not repeat a request whose body is a stream. */
const PUT_ATTEMPTS = 2;

/** The SDK is loaded by the first request, as in storage.ts. */
async function openClient() {
  const sdk = await import("./aws/s3.ts");
  const client = new sdk.S3Client({
    forcePathStyle: true,
    maxAttempts: 3,
    // The checksum of a body that is not known yet would stand in the URL of an upload, as that of nothing.
    requestChecksumCalculation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: 3_000,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      socketTimeout: SOCKET_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: 32 },
      httpsAgent: { keepAlive: true, maxSockets: 32 },
    },
  });
  return { sdk, client };
}

/** Endpoint, region and credentials come from the AWS SDK's own environment variables. Sends nothing yet. */
export function openMediaFiles(bucket: string): MediaFiles {
  let opened: ReturnType<typeof openClient> | undefined;
  const open = () => (opened ??= openClient());

  return {
    async put(key, { path, sizeBytes }, about) {
      const { sdk, client } = await open();
      for (let attempt = 1; ; attempt++) {
        const Body = createReadStream(path);
        try {
          await client.send(
            new sdk.PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentLength: sizeBytes, ...headersOf(about) }),
          );
          return;
        } catch (error) {
          if (attempt === PUT_ATTEMPTS) throw error;
        } finally {
          Body.destroy();
        }
      }
    },

    async open(key) {
      const { sdk, client } = await open();
      try {
        const answer = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }));
        const { Body: body, ContentLength: sizeBytes, ETag: etag } = answer;
        if (!(body instanceof Readable) || sizeBytes === undefined || !etag)
          throw new Error(`the object store answered ${key} without body, length or ETag`);
        return { body, sizeBytes, etag };
      } catch (error) {
        if (error instanceof sdk.NoSuchKey) return undefined;
        throw error;
      }
    },

    async copy(from, etag, to, about) {
      const { sdk, client } = await open();
      const source = { CopySource: `${bucket}/${from}`, CopySourceIfMatch: etag };
      const target = { Bucket: bucket, Key: to, MetadataDirective: "REPLACE" as const, ...headersOf(about) };
      try {
        await client.send(new sdk.CopyObjectCommand({ ...source, ...target }));
        return "copied";
      } catch (error) {
        const status = error instanceof sdk.S3ServiceException ? error.$metadata.httpStatusCode : undefined;
        if (status === 412 || status === 404) return "changed";
        throw error;
      }
    },

    async uploadUrl(key, { mimetype, sizeBytes }, seconds) {
      const { sdk, client } = await open();
      const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
      const put = { Bucket: bucket, Key: key, ContentType: mimetype, ContentLength: sizeBytes };
      return await getSignedUrl(client, new sdk.PutObjectCommand(put), {
        expiresIn: seconds,
        signableHeaders: new Set(["host", "content-type", "content-length"]),
      });
    },

    async downloadUrl(key, seconds) {
      const { sdk, client } = await open();
      const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
      return await getSignedUrl(client, new sdk.GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: seconds });
    },

    async delete(keys) {
      const { sdk, client } = await open();
      const Objects = keys.map((Key) => ({ Key }));
      const { Errors: errors } = await client.send(
        new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
      );
      const first = errors?.[0];
      if (first) throw new Error(`the object store did not delete ${first.Key}: ${first.Code}`);
    },

    close: () => void opened?.then(({ client }) => client.destroy()).catch(() => undefined),
  };
}

/** Names as RFC 6266 wants them. Always an attachment: the type is what a stranger says. */
function headersOf({ mimetype, fileName }: FileAbout) {
  const escaped = encodeURIComponent(fileName ?? "").replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  const name = escaped ? `; filename*=UTF-8''${escaped}` : "";
  return { ContentType: mimetype, ContentDisposition: `attachment${name}` };
}
