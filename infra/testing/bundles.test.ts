import { spawn } from "node:child_process";
import { createCipheriv } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it, vi } from "vitest";
import { startCloud } from "../../local/cloud/server.ts";
import { provision } from "../../local/provision.ts";
import { REPOSITORY } from "../../local/repository.ts";
import { testDatabase } from "../../local/testing/test-database.ts";
import { BESIDE_BUNDLES } from "../function-bundle.ts";
import { bundleHost } from "../image/bundle-host.ts";
import { bundleFunction } from "./bundle-function.ts";

const START_DEADLINE_MS = 30_000;

const directory = await mkdtemp(join(tmpdir(), "bundles-"));
afterAll(() => rm(directory, { recursive: true, force: true }));
const database = await testDatabase();

/** What is left of this machine's environment in Lambda and in a container: nothing that a process could lean on. */
const BARE = { PATH: "/usr/bin:/bin", AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };

/** The variables of a process that uses queues and buckets, those of a local cloud. */
async function cloudVariables() {
  const access = { region: "us-east-1", accessKeyId: "test-key", secretAccessKey: "test-secret-of-some-length" };
  const { region, ...credentials } = access;
  const cloud = await startCloud({ dataDir: join(directory, "cloud"), region, credentials });
  afterAll(() => cloud.dispose());
  const provisioned = await provision({ ...access, endpoint: cloud.endpoint });
  return {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: access.accessKeyId,
    AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
    AWS_ENDPOINT_URL_S3: cloud.endpoint,
    AWS_ENDPOINT_URL_SQS: cloud.endpoint,
    AWS_ENDPOINT_URL_SCHEDULER: cloud.endpoint,
    COMMAND_QUEUE_URLS: provisioned.commandQueueUrls.join(","),
    DELIVERY_QUEUE_URL: provisioned.deliveryQueueUrl,
    SCHEDULER_GROUP: provisioned.scheduleGroup,
    SCHEDULER_ROLE_ARN: provisioned.schedulerRoleArn,
    SCHEDULER_DEAD_LETTER_ARN: provisioned.schedulesDeadArn,
    MEDIA_BUCKET: provisioned.mediaBucket,
    STATE_BUCKET: provisioned.stateBucket,
  };
}
const cloud = await cloudVariables();

/** A function as Lambda has it: its bundle, its files, and the linked settings encrypted as SST does it. */
async function unpack(handler: string, linked: object): Promise<{ folder: string; variables: Record<string, string> }> {
  const folder = join(directory, handler.replaceAll(/\W/g, "-"));
  await bundleFunction(handler, folder);
  for (const { from, to } of [...BESIDE_BUNDLES, { from: "shared/db/migrations", to: "migrations" }]) {
    await cp(join(REPOSITORY, from), join(folder, to), { recursive: true });
  }
  const key = Buffer.alloc(32, 1);
  const cipher = createCipheriv("aes-256-gcm", key, Buffer.alloc(12, 0));
  const sealed = [cipher.update(JSON.stringify({ DatabaseSettings: linked })), cipher.final(), cipher.getAuthTag()];
  await writeFile(join(folder, "resource.enc"), Buffer.concat(sealed));
  const variables = { SST_KEY: key.toString("base64"), SST_KEY_FILE: "resource.enc", LAMBDA_TASK_ROOT: folder };
  return { folder, variables };
}

/** Calls a handler in a process of its own that starts in the function's folder. */
async function call(folder: string, file: string, variables: Record<string, string>, event: unknown): Promise<unknown> {
  const program = `const { handler } = await import(${JSON.stringify(join(folder, file))});
    process.stderr.write(JSON.stringify(await handler(${JSON.stringify(event)}, {}) ?? null), () => process.exit());`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: folder,
    env: { ...BARE, ...variables },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const chunks: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => child.once("close", resolve));
  const said = Buffer.concat(chunks).toString();
  return said.startsWith("{") ? JSON.parse(said) : said;
}

describe("the bundle of the API", () => {
  it("has nothing of Baileys in it, and what a start reads of it has at most 300 KB gzipped, all of it 500 KB", async () => {
    const folder = join(directory, "size");
    const { sources, filesAtOnce } = await bundleFunction("functions/api.handler", folder);
    expect(sources.filter((path) => /baileys|libsignal|socket-host|protobufjs/.test(path))).toEqual([]);
    const gzippedKb = async (files: string[]) => {
      const sizes = await Promise.all(files.map(async (file) => gzipSync(await readFile(file)).length));
      return sizes.reduce((sum, size) => sum + size, 0) / 1000;
    };
    expect(await gzippedKb(filesAtOnce)).toBeLessThanOrEqual(300);
    expect(await gzippedKb((await readdir(folder)).map((name) => join(folder, name)))).toBeLessThanOrEqual(500);
  });

  it("loads what only some requests need when they need it, not when it starts", async () => {
    const { readAtOnce } = await bundleFunction("functions/api.handler", join(directory, "at-once"));
    expect(readAtOnce.filter((path) => /functions\/(routes|schemas|openapi)/.test(path))).toEqual([]);
    // One more package here makes every cold start slower: npm run bench -- api-import.
    const packages = readAtOnce.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.slice(1) ?? []);
    expect([...new Set(packages)].toSorted()).toMatchInlineSnapshot(`
      [
        "@opentelemetry/api",
        "generate-function",
        "hono",
        "iconv-lite",
        "ipaddr.js",
        "is-property",
        "long",
        "lru.min",
        "mysql2",
        "named-placeholders",
        "safer-buffer",
        "sql-escaper",
        "sst",
        "zod",
      ]
    `);
  });

  it("answers as a Lambda function, with its secrets from what SST links", async () => {
    const { folder, variables } = await unpack("functions/api.handler", {
      DATABASE_URL: database.url,
      SESSION_SECRET: "5f1d9c3b7a2e4860d1c2b3a495867768",
      WEBHOOK_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString("base64"),
    });
    const event = {
      version: "2.0",
      rawPath: "/health/ready",
      rawQueryString: "",
      headers: { host: "example.com" },
      requestContext: { http: { method: "GET", path: "/health/ready" }, domainName: "example.com" },
    };
    const answer = (await call(folder, "api.mjs", { ...cloud, ...variables }, event)) as { body: string };
    // No host runs, so it is not ready; that it reaches the database and the queues is what matters.
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "unavailable" } });
  });
});

it("the bundle of migrate brings a fresh database up to date and makes the first administrator once", async () => {
  const fresh = new URL(database.url);
  fresh.pathname = "/fresh";
  await database.pool.query("CREATE DATABASE fresh");
  const { folder, variables } = await unpack("functions/migrate.handler", { DATABASE_URL: fresh.href });
  const migrate = (event: object) => call(folder, "migrate.mjs", variables, event);
  expect(await migrate({})).toMatchObject({ applied: expect.arrayContaining(["0001_init.sql"]) });
  expect(await migrate({ firstAdmin: "boss" })).toMatchObject({ applied: [], password: expect.any(String) });
  expect(await migrate({ firstAdmin: "boss" })).toEqual({ applied: [] });
});

it("the bundles of the deliverer and of the sweep do a round", async () => {
  const secrets = { DATABASE_URL: database.url, WEBHOOK_ENCRYPTION_KEY: Buffer.alloc(32, 3).toString("base64") };
  const deliver = await unpack("functions/deliver.handler", secrets);
  const wake = { messageId: "1", body: JSON.stringify({ webhookId: "wh_none" }) };
  const answer = await call(deliver.folder, "deliver.mjs", { ...cloud, ...deliver.variables }, { Records: [wake] });
  expect(answer).toEqual({ batchItemFailures: [] });
  const sweep = await unpack("functions/sweep.handler", secrets);
  expect(await call(sweep.folder, "sweep.mjs", { ...cloud, ...sweep.variables }, {})).toBe("null");
}, 60_000);

it("a function asks the database for TLS with Amazon's certificates, which lie beside its bundle", async () => {
  const url = new URL(database.url);
  url.searchParams.set("ssl", "Amazon RDS");
  const { folder, variables } = await unpack("functions/migrate.handler", { DATABASE_URL: url.href });
  // The private server of a test has none to offer; on the way there the certificates were read.
  expect(await call(folder, "migrate.mjs", variables, {})).toContain("does not support secure connection");
});

it(
  "the bundle of the socket host runs in an empty folder, says that it lives, and hands over on SIGTERM",
  async () => {
    const folder = join(directory, "host");
    await mkdir(folder);
    await bundleHost(folder);
    const child = spawn(process.execPath, ["host.mjs"], {
      cwd: folder,
      env: {
        ...BARE,
        ...cloud,
        DATABASE_URL: database.url,
        STATE_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64"),
        HEALTH_PORT: "0",
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    const lines: string[] = [];
    child.stdout.on("data", (chunk: Buffer) => lines.push(chunk.toString()));
    const port = await vi.waitFor(() => {
      const ready = lines
        .join("")
        .split("\n")
        .find((line) => line.includes('"msg":"ready"'));
      expect(ready).toBeDefined();
      return (JSON.parse(ready ?? "") as { healthPort: number }).healthPort;
    }, START_DEADLINE_MS);
    const health = await fetch(`http://127.0.0.1:${port}/health`);
    expect(await health.json()).toMatchObject({ shards: expect.any(Number), devices: 0 });
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  },
  START_DEADLINE_MS * 2,
);
