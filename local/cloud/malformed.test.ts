import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { dirname } from "node:path";
import { CreateMultipartUploadCommand } from "@aws-sdk/client-s3";
import { ListQueuesCommand } from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uriEncode } from "./request-url.ts";
import { createTestBucket } from "./s3/test-bucket.ts";
import { startTestCloud } from "./test-cloud.ts";
import type { TestCloud } from "./test-cloud.ts";
import { openSigner } from "./test-signer.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

/** A signed request for what no command of the SDK asks for. */
async function call(method: string, path: string, query: Record<string, string>, body = "") {
  const { presign } = await openSigner(cloud.s3, cloud.endpoint);
  const init = method === "GET" ? { method } : { method, body };
  const response = await fetch(await presign(method, path, query), init);
  return { status: response.status, code: /<Code>(.*?)<\/Code>/.exec(await response.text())?.[1] };
}

type Raw = { method?: string; path?: string; headers?: Record<string, string>; body?: Buffer };

/** A request exactly as given: fetch would tidy up its path. */
async function send({ body, ...options }: Raw): Promise<{ status: number; content: Buffer }> {
  const { hostname, port } = new URL(cloud.endpoint);
  const client = request({ hostname, port, agent: false, ...options });
  client.end(body);
  const [response] = (await once(client, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, content: Buffer.concat(chunks) };
}

async function startUpload() {
  const bucket = await createTestBucket(cloud);
  const command = new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: "key" });
  const { UploadId = "" } = await cloud.s3.send(command);
  return { path: `/${bucket.name}/key`, bucket, UploadId };
}

describe("documents that are none", () => {
  it.each([
    ["nothing", ""],
    ["another document", "<Delete/>"],
    ["no end", "<CompleteMultipartUpload><Part>"],
    ["no parts", "<CompleteMultipartUpload></CompleteMultipartUpload>"],
    ["a part without number", "<CompleteMultipartUpload><Part><ETag>a</ETag></Part></CompleteMultipartUpload>"],
    [
      "a number that is none",
      "<CompleteMultipartUpload><Part><ETag>a</ETag><PartNumber>-1</PartNumber></Part></CompleteMultipartUpload>",
    ],
    ["an entity of its own", "<!DOCTYPE a [<!ENTITY b 'c'>]><CompleteMultipartUpload>&b;</CompleteMultipartUpload>"],
  ])("do not complete an upload: %s", async (_, body) => {
    const { path, UploadId } = await startUpload();
    expect(await call("POST", path, { uploadId: UploadId }, body)).toEqual({ status: 400, code: "MalformedXML" });
  });

  it.each([
    ["nothing", "", "MalformedXML"],
    ["no rules", "<LifecycleConfiguration/>", "MalformedXML"],
    ["a rule of nothing", "<LifecycleConfiguration><Rule/></LifecycleConfiguration>", "MalformedXML"],
    ["binary", Buffer.from([0xff, 0xfe, 0, 1]).toString("latin1"), "MalformedXML"],
  ])("are no lifecycle: %s", async (_, body, code) => {
    const { name } = await createTestBucket(cloud);
    expect(await call("PUT", `/${name}`, { lifecycle: "" }, body)).toEqual({ status: 400, code });
  });
});

describe("uploads that are none", () => {
  it.each(["", "../../x", "%00", "00000000-0000-0000-0000-000000000000", "x".repeat(500)])(
    "the id %j is refused by everything that takes one",
    async (uploadId) => {
      const { path } = await startUpload();
      const part = await call("PUT", path, { uploadId, partNumber: "1" }, "content");
      const list = await call("GET", path, { uploadId });
      const abort = await call("DELETE", path, { uploadId });
      expect([part.code, list.code, abort.code]).toEqual(["NoSuchUpload", "NoSuchUpload", "NoSuchUpload"]);
    },
  );

  it.each(["", "0", "-1", "1.5", "1e3", "10001", "99999999999999999999", "abc"])(
    "the part number %j is refused",
    async (partNumber) => {
      const { path, UploadId } = await startUpload();
      const { code } = await call("PUT", path, { uploadId: UploadId, partNumber }, "content");
      expect(code).toBe("InvalidArgument");
    },
  );

  it.each(["../../../etc/passwd", "/", "//", "a/../../b", "%00/%00", "b/%ff", "", "?versionId=1"])(
    "the source %j is copied by nobody",
    async (source) => {
      const { name } = await createTestBucket(cloud);
      const { status } = await call("PUT", `/${name}/key`, { "x-amz-copy-source": source });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(502);
    },
  );
});

it("whatever the key, the object comes back under it, and no file lies outside of the data directory", async () => {
  const bucket = await createTestBucket(cloud);
  // Other tests come and go beside this one; keys that would climb out of the directory would leave such names.
  const outside = async () =>
    (await readdir(dirname(cloud.dataDir))).filter((file) => !/^[a-zA-Z]+[-\w. ]*$/.test(file));
  const before = await outside();
  const name = fc.oneof(
    fc.string({ minLength: 1, maxLength: 40, unit: "binary" }),
    fc
      .array(fc.constantFrom("..", ".", "/", "\\", "%2e", "%00", "\u0000", "\n", "~", "é", "e\u0301", "😀", " ", "+"), {
        minLength: 1,
        maxLength: 12,
      })
      .map((parts) => parts.join("")),
  );
  const { presign } = await openSigner(cloud.s3, cloud.endpoint);
  const pathOf = async (method: string, key: string) => {
    const encoded = key.split("/").map(uriEncode).join("/");
    return (await presign(method, `/${bucket.name}/${encoded}`)).slice(cloud.endpoint.length);
  };
  await fc.assert(
    fc.asyncProperty(name, async (key) => {
      const body = Buffer.alloc(20_000, key);
      expect((await send({ method: "PUT", path: await pathOf("PUT", key), body })).status).toBe(200);
      expect((await send({ path: await pathOf("GET", key) })).content.equals(body)).toBe(true);
    }),
    { numRuns: 40, seed: 1 },
  );
  expect(await outside()).toEqual(before);
  expect(
    (await readdir(cloud.dataDir)).filter((file) => !/^(blobs|lock|(journal|snapshot)-\d{8})$/.test(file)),
  ).toEqual([]);
});

describe("HTTP that is out of bounds", () => {
  it.each([
    ["one header of 64 KB", { headers: { "x-amz-meta-a": "x".repeat(65_536) } }],
    [
      "a thousand headers",
      { headers: Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`x-h-${n}`, "x".repeat(40)])) },
    ],
    ["a path of 64 KB", { path: `/bucket/${"x".repeat(65_536)}` }],
  ])("%s is refused", async (_, options) => {
    expect([400, 403, 414, 431]).toContain((await send(options)).status);
  });

  it("a body that ends too early is forgotten", async () => {
    const bucket = await createTestBucket(cloud);
    const { sign } = await openSigner(cloud.s3, cloud.endpoint);
    const path = `/${bucket.name}/key`;
    const headers = await sign("PUT", path, { "content-length": "100000", "x-amz-content-sha256": "UNSIGNED-PAYLOAD" });
    const { hostname, port } = new URL(cloud.endpoint);
    const client = request({ hostname, port, method: "PUT", path, headers, agent: false });
    client.on("error", () => undefined);
    await new Promise((resolve) => client.write("x".repeat(50_000), resolve));
    const closed = new Promise((resolve) => client.once("close", resolve));
    client.destroy();
    await closed;
    expect(await bucket.keys()).toEqual([]);
  });

  it("and all the while the cloud goes on", async () => {
    expect((await cloud.sqs.send(new ListQueuesCommand({}))).$metadata.httpStatusCode).toBe(200);
  });
});
