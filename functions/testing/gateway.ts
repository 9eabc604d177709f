import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, vi } from "vitest";
import { startCloud } from "../../local/cloud/server.ts";
import { testDatabase, testUser } from "../../local/testing/test-database.ts";
import { loadApiConfig } from "../../shared/config.ts";
import type { Database } from "../../shared/db/pool.ts";
import * as tokens from "../../shared/db/tokens.ts";
import { newTokenId } from "../../shared/ids.ts";
import type { DeviceId, UserId } from "../../shared/ids.ts";
import { openDeliveryQueue } from "../../shared/delivery-queue.ts";
import { lazyGuardedFetch } from "../../shared/lazy-guarded-fetch.ts";
import { createLog } from "../../shared/log.ts";
import { openMediaFiles } from "../../shared/media-files.ts";
import { openCommandQueues } from "../../shared/queue.ts";
import { EVERY_SCOPE } from "../../shared/scopes.ts";
import { openScheduler } from "../../shared/scheduler.ts";
import { openStorage } from "../../shared/storage.ts";
import { newToken, tokenHash, tokenPrefix } from "../../shared/token.ts";
import { createApp } from "../app.ts";
import { allRoutes } from "../areas.ts";
import type { Services } from "../route.ts";
import { conformance } from "./conformance.ts";

const SHARDS = 2;
const MEDIA_BUCKET = "media";
const CLOUD = { region: "us-east-1", credentials: { accessKeyId: "test-key", secretAccessKey: "test-secret" } };

/** `bindings`: what the server or the function's runtime tells of the connection. */
export type Ask = { body?: unknown; headers?: Record<string, string>; token?: string | null; bindings?: object };
/** The parts of any envelope; what a test reads of `data` it knows. */
export type Envelope = {
  success: boolean;
  message: string;
  data: Record<string, unknown>;
  error: { code: string; details?: { path: string; message: string }[] };
  requestId: string;
  timestamp: string;
};

/**
 * The API on a database and a local cloud of a test file's own. Every answer is checked against the document.
 * @param settings over the usual ones, by the names of `shared/config.ts`
 */
export async function startGateway(settings: Record<string, string> = {}) {
  const database = await testDatabase();
  const environment = await startLocalCloud();
  const config = loadApiConfig({ ...environment, DATABASE_URL: database.url, SYNC_WAIT_MS: "3000", ...settings });
  const queues = openCommandQueues(config.commandQueueUrls);
  const scheduler = openScheduler(config.scheduler);
  const deliveries = openDeliveryQueue(config.deliveryQueueUrl);
  const media = openStorage(config.mediaBucket);
  const files = openMediaFiles(config.mediaBucket);
  const guardedFetch = lazyGuardedFetch(config.allowedPrivateHosts);
  afterAll(() => {
    queues.close();
    scheduler.close();
    deliveries.close();
    media.close();
    files.close();
    guardedFetch.close();
  });
  const userId = await testUser(database);
  const token = await tokenFor(database, userId);

  const services: Services = {
    config,
    database,
    queues,
    scheduler,
    deliveries,
    media,
    files,
    guardedFetch,
    log: createLog("api", "silent"),
  };
  const usual = createApp(services);
  const check = conformance(await allRoutes(config));
  /** Asks the API, or one with other services. */
  const ask = async (method: string, path: string, question: Ask = {}, changed: Partial<Services> = {}) => {
    const headers = new Headers(question.headers);
    const bearer = question.token === undefined ? token : question.token;
    if (bearer !== null) headers.set("authorization", `Bearer ${bearer}`);
    const { body } = question;
    if (body !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
    const text = body === undefined || typeof body === "string" ? (body ?? null) : JSON.stringify(body);
    const app = Object.keys(changed).length ? createApp({ ...services, ...changed }) : usual;
    const response = await app.request(path, { method, headers, body: text }, question.bindings);
    await check(method, path, response);
    return response;
  };
  /** The same, and reads the envelope. */
  const call = async (method: string, path: string, question: Ask = {}, changed: Partial<Services> = {}) => {
    const response = await ask(method, path, question, changed);
    return { status: response.status, headers: response.headers, body: (await response.json()) as Envelope };
  };
  const createDevice = async (deviceId: string): Promise<DeviceId> => {
    const { status } = await call("POST", "/api/whatsapp-multi-device/devices", { body: { deviceId } });
    if (status !== 201) throw new Error(`device ${deviceId} was not created: ${status}`);
    return deviceId as DeviceId;
  };
  /** A token of the gateway's user, or of another, with less than every right. */
  const limited = (rights: Partial<tokens.Rights>, owner = userId) => tokenFor(database, owner, rights);
  /** Somebody else, with a token. */
  const stranger = async () => await tokenFor(database, await testUser(database));
  return { services, environment, database, queues, userId, token, ask, call, createDevice, limited, stranger };
}

async function tokenFor(database: Database, userId: UserId, rights: Partial<tokens.Rights> = {}): Promise<string> {
  const token = newToken();
  await tokens.create(database, {
    tokenId: newTokenId(),
    userId,
    name: "test",
    prefix: tokenPrefix(token),
    hash: tokenHash(token),
    scopes: [EVERY_SCOPE],
    deviceIds: null,
    expiresAt: null,
    ...rights,
  });
  return token;
}

async function startLocalCloud() {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-cloud-"));
  const cloud = await startCloud({ dataDir, ...CLOUD });
  const environment = {
    AWS_REGION: CLOUD.region,
    AWS_ACCESS_KEY_ID: CLOUD.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CLOUD.credentials.secretAccessKey,
    AWS_ENDPOINT_URL_S3: cloud.endpoint,
    AWS_ENDPOINT_URL_SQS: cloud.endpoint,
    AWS_ENDPOINT_URL_SCHEDULER: cloud.endpoint,
    SCHEDULER_GROUP: "default",
    SCHEDULER_ROLE_ARN: "arn:aws:iam::000000000000:role/scheduler",
    SCHEDULER_DEAD_LETTER_ARN: `arn:aws:sqs:${CLOUD.region}:000000000000:schedules-dead`,
    SESSION_SECRET: randomBytes(32).toString("hex"),
    WEBHOOK_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const client = new SQSClient({});
  const urls: string[] = [];
  for (let shard = 0; shard < SHARDS; shard++) {
    const Attributes = { FifoQueue: "true", ContentBasedDeduplication: "true" };
    const answer = await client.send(new CreateQueueCommand({ QueueName: `shard-${shard}.fifo`, Attributes }));
    urls.push(answer.QueueUrl ?? "");
  }
  const { QueueUrl: DELIVERY_QUEUE_URL = "" } = await client.send(new CreateQueueCommand({ QueueName: "deliveries" }));
  client.destroy();
  const s3 = new S3Client({ forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: MEDIA_BUCKET }));
  s3.destroy();
  afterAll(async () => {
    await cloud.dispose();
    await rm(dataDir, { recursive: true, force: true });
  });
  return { ...environment, COMMAND_QUEUE_URLS: urls.join(","), DELIVERY_QUEUE_URL, MEDIA_BUCKET };
}
