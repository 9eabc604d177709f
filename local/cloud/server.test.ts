import { createHash } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as openSocket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBucket } from "./s3/test-bucket.ts";
import { createTestQueue } from "./sqs/test-queue.ts";
import { startCloud } from "./server.ts";
import { connect, credentials, region, startTestCloud } from "./test-cloud.ts";
import type { TestCloud } from "./test-cloud.ts";
import { openSigner } from "./test-signer.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

type Raw = { method?: string; path?: string; headers?: Record<string, string>; body?: string | Buffer };

/** A request exactly as given: fetch would tidy up path and headers. */
async function send({
  method = "GET",
  path = "/",
  headers = {},
  body,
}: Raw): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(cloud.endpoint);
  const client = request({ hostname, port, method, path, headers, agent: false });
  client.end(body);
  const [response] = await once(client, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, text: Buffer.concat(chunks).toString() };
}

const signer = () => openSigner(cloud.s3, cloud.endpoint);

describe("who may call", () => {
  it("refuses what is not signed, in the form of the service", async () => {
    expect(await send({})).toMatchObject({ status: 403, text: expect.stringContaining("<Code>AccessDenied</Code>") });
    const headers = { "x-amz-target": "AmazonSQS.ListQueues" };
    const { status, text } = await send({ method: "POST", headers, body: "{}" });
    expect([status, JSON.parse(text)]).toMatchObject([
      403,
      { __type: expect.stringContaining("MissingAuthenticationToken") },
    ]);
  });

  it.each([
    [
      "another key",
      { accessKeyId: "other", secretAccessKey: "test-secret-0123456789" },
      "InvalidAccessKeyId",
      "InvalidClientTokenId",
    ],
    [
      "another secret",
      { accessKeyId: "test-key", secretAccessKey: "no" },
      "SignatureDoesNotMatch",
      "SignatureDoesNotMatch",
    ],
  ])("refuses %s", async (_, wrong, s3Error, sqsError) => {
    const config = { endpoint: cloud.endpoint, region, credentials: wrong, maxAttempts: 1 };
    const s3 = new S3Client({ ...config, forcePathStyle: true });
    const sqs = new SQSClient(config);
    await expect(s3.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: s3Error });
    await expect(sqs.send(new ListQueuesCommand({}))).rejects.toMatchObject({ name: sqsError });
    s3.destroy();
    sqs.destroy();
  });

  it("refuses a clock that is more than 15 minutes off", async () => {
    const { sign } = await signer();
    const at = async (minutes: number) => {
      const headers = await sign("GET", "/", {}, "", new Date(Date.now() + minutes * 60_000));
      return (await send({ headers })).status;
    };
    expect([await at(-16), await at(-14), await at(14), await at(16)]).toEqual([403, 200, 200, 403]);
  });

  it("refuses headers that were added after signing", async () => {
    const bucket = await createTestBucket(cloud);
    const { sign } = await signer();
    const headers = await sign("PUT", `/${bucket.name}/key`, {}, "x");
    const added = { ...headers, "x-amz-meta-owner": "somebody" };
    const answer = await send({ method: "PUT", path: `/${bucket.name}/key`, headers: added, body: "x" });
    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining("HeadersNotSigned") });
  });

  it("refuses a body that is not the one that was signed", async () => {
    const bucket = await createTestBucket(cloud);
    const { sign } = await signer();
    const path = `/${bucket.name}/key`;
    const headers = await sign("PUT", path, {}, "signed");
    const answer = await send({ method: "PUT", path, headers, body: "posted" });
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining("XAmzContentSHA256Mismatch") });
  });

  it("listens on another address when it is told to", async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ internal, family }) => !internal && family === "IPv4");
    if (!outside) return;
    const dataDir = await mkdtemp(join(tmpdir(), "cloud-"));
    const other = await startCloud({ dataDir, credentials, region, host: outside.address });
    expect(new URL(other.endpoint).hostname).toBe(outside.address);
    const clients = connect(other.endpoint);
    const { QueueUrl } = await clients.sqs.send(new CreateQueueCommand({ QueueName: "q" }));
    expect(QueueUrl).toContain(other.endpoint);
    clients.close();
    await other.dispose();
    await rm(dataDir, { recursive: true });
  });

  it("listens on the loopback interface only, otherwise", async () => {
    const { port } = new URL(cloud.endpoint);
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === "IPv4");
    for (const { address } of outside) await expect(fetch(`http://${address}:${port}/_status`)).rejects.toThrow();
    expect(cloud.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it("shows its status to the machine, but not to a web page under another name", async () => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("key", "hello");
    const { text } = await send({ path: "/_status" });
    const status = JSON.parse(text);
    expect(status.buckets).toContainEqual({ name: bucket.name, objects: 1, bytes: 5 });
    expect(status.schedules).toEqual({ count: 0, nextDueAt: null });
    expect((await send({ path: "/_status", headers: { host: "evil.example:80" } })).status).toBe(403);
  });
});

describe("malformed requests", () => {
  const authorization = (parts: string) => ({
    authorization: `AWS4-HMAC-SHA256 ${parts}`,
    "x-amz-date": "20260101T000000Z",
  });
  it.each([
    ["an authorization of another kind", { headers: { authorization: "Basic abc" } }],
    ["half an authorization", { headers: authorization("Credential=a/b, SignedHeaders=host, Signature=00") }],
    [
      "a date that is none",
      { headers: authorization("Credential=test-key/20269999/r/s3/aws4_request, SignedHeaders=host, Signature=00") },
    ],
    [
      "another service",
      { headers: authorization("Credential=test-key/20260101/r/ec2/aws4_request, SignedHeaders=host, Signature=00") },
    ],
    ["half a query signature", { path: "/b/k?X-Amz-Signature=00" }],
    ["a path that is not UTF-8", { path: "/b/%ff%fe" }],
    ["a percent sign that encodes nothing", { path: "/b/%zz" }],
    ["an absolute URL", { path: "http://elsewhere/b/k" }],
    ["a method of its own", { method: "PROPFIND", path: "/b" }],
  ])("%s are refused", async (_, raw) => {
    const { status } = await send(raw);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it.each([
    ["a chunk longer than it says", "3\r\nhello\r\n0\r\n\r\n"],
    ["a size that is no number", "xyz\r\nhello\r\n0\r\n\r\n"],
    ["an end in the middle of a chunk", "ff\r\nhello"],
    ["a wrong trailer", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"],
    ["no trailer where one was announced", "5\r\nhello\r\n0\r\n\r\n"],
    ["a length that does not fit", "4\r\nhell\r\n0\r\nx-amz-checksum-crc32:6+D7Sg==\r\n\r\n"],
    ["a line without end", "x".repeat(10_000)],
  ])("uploads with %s are refused and leave nothing", async (_, body) => {
    const bucket = await createTestBucket(cloud);
    const { sign } = await signer();
    const path = `/${bucket.name}/key`;
    const chunked = {
      "content-encoding": "aws-chunked",
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "x-amz-decoded-content-length": "5",
      "x-amz-trailer": "x-amz-checksum-crc32",
    };
    const headers = await sign("PUT", path, chunked);
    expect((await send({ method: "PUT", path, headers, body })).status).toBe(400);
    expect(await bucket.keys()).toEqual([]);
  });

  it.each([
    ["", "MalformedXML"],
    ["<Delete><Object><Key>a</Key></Object>", "MalformedXML"],
    ["<Delete><Object><Key>a</Wrong></Object></Delete>", "MalformedXML"],
    ["<Delete><Object></Object></Delete>", "MalformedXML"],
    ["<Delete>&unknown;</Delete>", "MalformedXML"],
    ["<!DOCTYPE x [<!ENTITY a 'b'>]><Delete/>", "MalformedXML"],
    ["<Delete><Object><Key>a</Key></Object></Delete><Delete/>", "MalformedXML"],
  ])("the deletion of this is refused: %s", async (body, code) => {
    const bucket = await createTestBucket(cloud);
    const { presign } = await signer();
    const url = await presign("POST", `/${bucket.name}/`, { delete: "" });
    const md5 = createHash("md5").update(body).digest("base64");
    const response = await fetch(url, { method: "POST", body, headers: { "content-md5": md5 } });
    expect(await response.text()).toContain(`<Code>${code}</Code>`);
  });

  it("a deletion that is too long is refused", async () => {
    const bucket = await createTestBucket(cloud);
    const { presign } = await signer();
    const url = await presign("POST", `/${bucket.name}/`, { delete: "" });
    const response = await fetch(url, { method: "POST", body: " ".repeat(9_000_000) });
    expect(response.status).toBe(413);
  });

  it.each([
    ["not json"],
    ["[]"],
    ["null"],
    ['{"QueueUrl":7}'],
    ['{"QueueUrl":"x","Entries":{"a":1}}'],
    ['{"QueueName":["a"]}'],
  ])("the SQS request %s is refused", async (body) => {
    for (const action of ["SendMessageBatch", "CreateQueue", "ReceiveMessage"]) {
      const command = new ListQueuesCommand({});
      let headers: Record<string, string> = {};
      command.middlewareStack.add(
        (next) => (args) => {
          const built = args.request as { headers: Record<string, string>; body: string };
          built.headers["x-amz-target"] = `AmazonSQS.${action}`;
          built.headers["content-length"] = String(body.length);
          built.body = body;
          headers = built.headers;
          return next(args);
        },
        { step: "build", priority: "low" },
      );
      await expect(cloud.sqs.send(command)).rejects.toMatchObject({
        name: expect.stringMatching(/^(SerializationException|MissingParameter|QueueDoesNotExist)$/),
      });
      expect(headers["x-amz-target"]).toContain(action);
    }
  });

  it("garbage on the wire ends that connection and nothing else", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const { hostname, port } = new URL(cloud.endpoint);
    for (const garbage of [
      "\u0000\u0001\u0002\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ]) {
      const socket = openSocket({ host: hostname, port: Number(port) });
      socket.on("error", () => undefined);
      socket.end(garbage);
      socket.resume();
      await once(socket, "close");
    }
    await queue.send("still here");
    expect(await queue.bodies()).toEqual(["still here"]);
  });
});

describe("the end", () => {
  it("lets requests under way finish and ends long polls at once", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "cloud-"));
    const other = await startCloud({ dataDir, credentials, region });
    const clients = connect(other.endpoint);
    const { sqs } = clients;
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "polled" }));
    const polling = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x", DelaySeconds: 100 }));
    const start = performance.now();
    await other.dispose();
    expect((await polling).Messages).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(3_000);
    clients.close();
    await rm(dataDir, { recursive: true });
  });

  it("leaves the directory to the next one, and to nobody before", async () => {
    const options = { dataDir: cloud.dataDir, credentials, region };
    await expect(startCloud(options)).rejects.toThrow(`in use by process ${process.pid}`);
    await cloud.restart();
  });
});
