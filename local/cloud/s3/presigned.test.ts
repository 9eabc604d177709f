import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credentials, region, startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { openSigner } from "../test-signer.ts";
import { createTestBucket } from "./test-bucket.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

const signer = () => openSigner(cloud.s3, cloud.endpoint);

async function refusal(response: Response): Promise<string> {
  return `${response.status} ${/<Code>(.*?)<\/Code>/.exec(await response.text())?.[1]}`;
}

describe("a presigned GET", () => {
  it("gives the object to whoever has the URL, with the headers that were signed into it", async () => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("folder/my file.txt", "hello");
    const query = {
      "response-content-type": "text/plain",
      "response-content-disposition": 'attachment; filename="a b"',
    };
    const { presign } = await signer();
    const response = await fetch(await presign("GET", `/${bucket.name}/folder/my%20file.txt`, query));
    expect(await response.text()).toBe("hello");
    expect(response.headers.get("content-type")).toBe("text/plain");
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="a b"');
  });

  it("is refused when it is late, altered, or used for something else", async () => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("key", "hello");
    const { presign } = await signer();
    const old = await presign("GET", `/${bucket.name}/key`, {}, 60, new Date(Date.now() - 61_000));
    expect(await refusal(await fetch(old))).toBe("403 AccessDenied");
    const url = await presign("GET", `/${bucket.name}/key`);
    expect(await refusal(await fetch(url.replace("/key?", "/other?")))).toBe("403 SignatureDoesNotMatch");
    expect(await refusal(await fetch(`${url}&response-content-type=x`))).toBe("403 SignatureDoesNotMatch");
    expect(await refusal(await fetch(url, { method: "DELETE" }))).toBe("403 SignatureDoesNotMatch");
    expect(await refusal(await fetch(url, { headers: { "x-amz-meta-a": "b" } }))).toBe("403 AccessDenied");
    const tooLong = await presign("GET", `/${bucket.name}/key`);
    expect(await refusal(await fetch(tooLong.replace("X-Amz-Expires=60", "X-Amz-Expires=604801")))).toBe(
      "400 AuthorizationQueryParametersError",
    );
    expect((await fetch(url)).status).toBe(200);
  });
});

it("refuses headers that HTTP cannot carry", async () => {
  const bucket = await createTestBucket(cloud);
  await bucket.put("key", "hello");
  const { presign } = await signer();
  for (const type of ["a\r\nset-cookie: b", "日本"]) {
    const url = await presign("GET", `/${bucket.name}/key`, { "response-content-type": type });
    expect(await refusal(await fetch(url))).toBe("400 InvalidArgument");
  }
});

describe("a presigned PUT", () => {
  it("takes an upload of any client", async () => {
    const bucket = await createTestBucket(cloud);
    const { presign } = await signer();
    const content = Buffer.alloc(100_000, 7);
    const response = await fetch(await presign("PUT", `/${bucket.name}/key`), { method: "PUT", body: content });
    expect(response.status).toBe(200);
    expect((await bucket.get("key")).equals(content)).toBe(true);
  });

  it("holds the upload to a checksum that was signed into it", async () => {
    const bucket = await createTestBucket(cloud);
    const { presign } = await signer();
    const emptyBody = { "x-amz-checksum-crc32": "AAAAAA==", "x-amz-sdk-checksum-algorithm": "CRC32" };
    const url = await presign("PUT", `/${bucket.name}/key`, emptyBody);
    expect(await refusal(await fetch(url, { method: "PUT", body: "hello" }))).toBe("400 BadDigest");
  });
});

describe("the SDK's own presigner", () => {
  const client = (requestChecksumCalculation: "WHEN_REQUIRED" | "WHEN_SUPPORTED") =>
    new S3Client({ endpoint: cloud.endpoint, region, credentials, forcePathStyle: true, requestChecksumCalculation });

  it("makes URLs for uploads of 16 MB and their download, as long as checksums are left out of them", async () => {
    const { name: Bucket } = await createTestBucket(cloud);
    const s3 = client("WHEN_REQUIRED");
    const target = { Bucket, Key: "media/ä b.bin" };
    const put = await getSignedUrl(s3, new PutObjectCommand({ ...target, ContentType: "video/mp4" }), {
      expiresIn: 60,
      signableHeaders: new Set(["content-type"]),
    });
    const content = Buffer.alloc(16 * 1024 * 1024, "frame ");
    const headers = { "content-type": "video/mp4" };
    expect((await fetch(put, { method: "PUT", body: content, headers })).status).toBe(200);
    expect(await refusal(await fetch(put, { method: "PUT", body: content }))).toBe("403 SignatureDoesNotMatch");
    const ResponseContentDisposition = 'attachment; filename="a.mp4"';
    const get = await getSignedUrl(s3, new GetObjectCommand({ ...target, ResponseContentDisposition }));
    const response = await fetch(get);
    expect(response.headers.get("content-type")).toBe("video/mp4");
    expect(response.headers.get("content-disposition")).toBe(ResponseContentDisposition);
    expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
    s3.destroy();
  });

  it("signs the checksum of an empty body by default, so that only an empty body is taken", async () => {
    const { name: Bucket } = await createTestBucket(cloud);
    const s3 = client("WHEN_SUPPORTED");
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "key" }));
    expect(await refusal(await fetch(url, { method: "PUT", body: "content" }))).toBe("400 BadDigest");
    expect((await fetch(url, { method: "PUT", body: "" })).status).toBe(200);
    s3.destroy();
  });
});
