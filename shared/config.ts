/**
 * The only reader of the environment. Each process loads the section it needs; a missing or wrong variable is a
 * `ConfigError` that names every one of them, so that an operator mends the set-up in one go.
 *
 * The AWS SDK reads its own variables besides: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_ENDPOINT_URL_S3 / _SQS / _SCHEDULER (set only where something else than AWS is meant).
 */
import { randomBytes } from "node:crypto";
import { pathToFileURL } from "node:url";
import { Resource } from "sst/resource";
import * as z from "zod";
import type { HostId } from "./ids.ts";
import {
  apiSchema,
  database,
  deliverSchema,
  hostnameOf,
  hostSchema,
  isStrong,
  logging,
  migrateSchema,
  portNumber,
  scheduling,
  sweepSchema,
} from "./settings.ts";

export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

type Environment = Record<string, string | undefined>;

/** What infra/secrets.ts links to functions: SST packs it encrypted beside their code. Elsewhere there is none of it. */
const LINKED = ["DatabaseSettings", "ApiSettings", "WebhookSettings"];

/** The environment, and over it the secrets that SST has linked, each under the name of a variable. */
function surroundings(): Environment {
  const linked = Resource as unknown as Record<string, Environment>;
  return Object.assign({ ...process.env }, ...LINKED.map((name) => (name in linked ? linked[name] : {})));
}

/** Where MySQL is. `DATABASE_URL` wins over `DB_*`; `?socketPath=` in it means a Unix socket. */
export type DatabaseConfig = { url: string; poolSize: number };
export type SchedulerConfig = { group: string; roleArn: string; deadLetterArn: string };
export type SweepConfig = ReturnType<typeof loadSweepConfig>;
export type DeliverConfig = ReturnType<typeof loadDeliverConfig>;
export type ApiConfig = ReturnType<typeof loadApiConfig>;
export type HostConfig = ReturnType<typeof loadHostConfig>;
export type WhatsAppConfig = HostConfig["whatsapp"];

/** For the API functions. Throws `ConfigError`. */
export function loadApiConfig(environment: Environment = surroundings()) {
  const env = read(apiSchema, withDevelopmentSecret(environment));
  return {
    logLevel: env.LOG_LEVEL,
    database: databaseOf(env),
    commandQueueUrls: env.COMMAND_QUEUE_URLS,
    scheduler: schedulerOf(env),
    deliveryQueueUrl: env.DELIVERY_QUEUE_URL,
    mediaBucket: env.MEDIA_BUCKET,
    mediaTypes: env.MEDIA_TYPES,
    mediaRequestMaxBytes: env.MEDIA_REQUEST_MAX_BYTES,
    /** Given: clients do not reach the object store themselves. */
    objectEndpoint: env.OBJECT_ENDPOINT,
    port: env.DASHBOARD_PORT,
    bindAddress: env.API_HOST,
    timeZone: env.APP_TIMEZONE,
    /** Undefined: the Indonesian rule of the original service. Otherwise the regions whose numbers are taken. */
    phoneRegions: env.PHONE_REGIONS === undefined ? undefined : env.PHONE_REGIONS.split(","),
    syncWaitMs: env.SYNC_WAIT_MS,
    /** Keys the hashes of login cookies. */
    sessionSecret: env.SESSION_SECRET,
    /** How many proxies of the operator's stand before the API: what they say about a client is believed. */
    trustedProxies: env.TRUSTED_PROXIES,
    /** Of each token and each login; 0: no limit. */
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE,
    /** `*` alone: any. */
    corsOrigins: env.CORS_ORIGINS?.split(",") ?? [],
    auditRetentionDays: env.AUDIT_RETENTION_DAYS,
    /** As the guarded fetch takes them (shared/guarded-fetch.ts). */
    allowedPrivateHosts: env.ALLOWED_PRIVATE_HOSTS ?? [],
    /** 32 bytes; seals the secrets of webhooks (shared/sealed.ts). */
    webhookKey: env.WEBHOOK_ENCRYPTION_KEY,
  };
}

/** A developer goes without a good SESSION_SECRET: logins end with the process. */
function withDevelopmentSecret(environment: Environment): Environment {
  const { NODE_ENV, SESSION_SECRET } = environment;
  if (NODE_ENV !== "development" || isStrong(SESSION_SECRET ?? "")) return environment;
  return { ...environment, SESSION_SECRET: randomBytes(32).toString("hex") };
}

/** For a socket host. Throws `ConfigError`, also when a simulator's settings are combined with the real WhatsApp. */
export function loadHostConfig(environment: Environment = process.env) {
  const env = read(hostSchema, environment);
  const ofSimulator = env.WA_TRUST_ROOT ? "WA_TRUST_ROOT" : env.WA_MEDIA_ORIGIN ? "WA_MEDIA_ORIGIN" : undefined;
  if (ofSimulator && /\.whatsapp\.(net|com)$/i.test(new URL(env.WA_WEB_SOCKET_URL).hostname)) {
    throw new ConfigError(`${ofSimulator} is for a simulator: it cannot be combined with a WhatsApp address`);
  }
  return {
    logLevel: env.LOG_LEVEL,
    database: databaseOf(env),
    commandQueueUrls: env.COMMAND_QUEUE_URLS,
    deliveryQueueUrl: env.DELIVERY_QUEUE_URL,
    mediaBucket: env.MEDIA_BUCKET,
    stateBucket: env.STATE_BUCKET,
    stateEncryptionKey: env.STATE_ENCRYPTION_KEY,
    /** Given only by a supervisor that never runs two hosts of one id: a restarted host then need not wait for its old leases. */
    hostId: env.HOST_ID as HostId | undefined,
    healthPort: env.HEALTH_PORT,
    scheduleGraceMs: env.SCHEDULE_GRACE_MINUTES * 60_000,
    leaseDurationMs: env.LEASE_DURATION_MS,
    whatsapp: {
      webSocketUrl: env.WA_WEB_SOCKET_URL,
      /** The 32-byte public key that signs a simulator's certificates; undefined for the real WhatsApp. */
      trustRoot: env.WA_TRUST_ROOT,
      /** Where a simulator's media are; undefined for the real WhatsApp. */
      mediaOrigin: env.WA_MEDIA_ORIGIN,
      connectTimeoutMs: env.WA_CONNECT_TIMEOUT_MS,
      queryTimeoutMs: env.WA_QUERY_TIMEOUT_MS,
      keepAliveIntervalMs: env.WA_KEEPALIVE_INTERVAL_MS,
      /** Between two logins of one host that nobody waits for. */
      restoreStaggerMs: env.WA_RESTORE_STAGGER_MS,
      /** Of all hosts together. */
      loginsPerSecond: env.WA_LOGINS_PER_SECOND,
      printQr: env.WA_PRINT_QR_TERMINAL,
    },
  };
}

/** For whoever delivers events. Throws `ConfigError`. */
export function loadDeliverConfig(environment: Environment = surroundings()) {
  const env = read(deliverSchema, environment);
  return {
    logLevel: env.LOG_LEVEL,
    database: databaseOf(env),
    commandQueueUrls: env.COMMAND_QUEUE_URLS,
    deliveryQueueUrl: env.DELIVERY_QUEUE_URL,
    /** Of the files of a chatbot's replies. */
    mediaBucket: env.MEDIA_BUCKET,
    mediaTypes: env.MEDIA_TYPES,
    allowedPrivateHosts: env.ALLOWED_PRIVATE_HOSTS ?? [],
    webhookKey: env.WEBHOOK_ENCRYPTION_KEY,
    chatbot:
      env.API_AIRABOT === undefined
        ? undefined
        : { url: env.API_AIRABOT, host: hostnameOf(env.API_AIRABOT), secret: env.API_AIRABOT_SECRET },
    repliesPerMinute: env.CHATBOT_REPLIES_PER_MINUTE,
  };
}

/** For what is done each minute. Throws `ConfigError`. */
export function loadSweepConfig(environment: Environment = surroundings()) {
  const env = read(sweepSchema, environment);
  return {
    logLevel: env.LOG_LEVEL,
    database: databaseOf(env),
    commandQueueUrls: env.COMMAND_QUEUE_URLS,
    scheduler: schedulerOf(env),
    deliveryQueueUrl: env.DELIVERY_QUEUE_URL,
    mediaBucket: env.MEDIA_BUCKET,
    auditRetentionDays: env.AUDIT_RETENTION_DAYS,
    unkeptContentMinutes: env.UNKEPT_CONTENT_MINUTES,
    retention: {
      /** 0: for ever. */
      historyDays: env.HISTORY_RETENTION_DAYS,
      eventDays: env.EVENT_RETENTION_DAYS,
      commandDays: env.COMMAND_RETENTION_DAYS,
    },
  };
}

/** For the function that brings the tables up to date. Throws `ConfigError`. */
export function loadMigrateConfig(environment: Environment = surroundings()) {
  const env = read(migrateSchema, environment);
  return {
    logLevel: env.LOG_LEVEL,
    database: databaseOf(env),
    /** Where a deploy puts the migrations (infra/migrate.ts); undefined: where they are in the repository. */
    migrations: env.LAMBDA_TASK_ROOT ? pathToFileURL(`${env.LAMBDA_TASK_ROOT}/migrations/`) : undefined,
  };
}

const launcherSchema = z.object({
  ...logging,
  ...database,
  DASHBOARD_PORT: portNumber.default(4000),
});

/** For the one-machine launcher: what the operator has given, before it fills in the rest for its children. */
export function loadLauncherConfig(environment: Environment = process.env) {
  const env = read(launcherSchema, environment);
  const given = env.DATABASE_URL !== undefined || env.DB_HOST !== undefined;
  return { port: env.DASHBOARD_PORT, database: given ? databaseOf(env) : undefined };
}

/** What operators of the original service may still set, though nothing needs it any more. */
const UNNEEDED = ["WEBSOCKET_URL", "WS_URL"];

/** @returns the names of such variables that are set */
export const unneededSettings = (environment: Environment = process.env) =>
  UNNEEDED.filter((name) => environment[name]);

/** What a child process inherits, before the launcher adds the settings of its part. */
export const inheritedEnvironment = (environment: Environment = process.env): Environment => ({ ...environment });

const credentialsSchema = z.object({
  AWS_REGION: z.string().min(1),
  AWS_ACCESS_KEY_ID: z.string().min(1),
  AWS_SECRET_ACCESS_KEY: z.string().min(16),
});

/** The one key pair that the local cloud accepts. Throws `ConfigError`. */
export function loadCloudCredentials(environment: Environment = process.env) {
  const env = read(credentialsSchema, environment);
  return { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY, region: env.AWS_REGION };
}

const endpointsSchema = z.object({
  S3_ENDPOINT: z.string().optional(),
  SQS_ENDPOINT: z.string().optional(),
  SCHEDULER_ENDPOINT: z.string().optional(),
});

/** What `npm run conformance` is held against, unless its flags say so: a URL, or `aws`. */
export function loadConformanceEndpoints(environment: Environment = process.env) {
  const env = read(endpointsSchema, environment);
  return { s3: env.S3_ENDPOINT, sqs: env.SQS_ENDPOINT, scheduler: env.SCHEDULER_ENDPOINT };
}

function read<T extends z.ZodType>(schema: T, environment: Environment): z.infer<T> {
  // An empty variable means "not set": that is what `VAR=` in an env file says.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const result = schema.safeParse(set);
  if (result.success) return result.data;
  const wrong = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new ConfigError(`wrong settings: ${wrong.join("; ")}`);
}

/** What mysql2 takes as `ssl` in a URL: the name of a profile with Amazon's certificates, or options in JSON. */
const TLS_OPTION = { off: undefined, on: JSON.stringify({ verifyIdentity: true }), "amazon-rds": "Amazon RDS" };

const schedulerOf = (env: z.infer<z.ZodObject<typeof scheduling>>): SchedulerConfig => ({
  group: env.SCHEDULER_GROUP,
  roleArn: env.SCHEDULER_ROLE_ARN,
  deadLetterArn: env.SCHEDULER_DEAD_LETTER_ARN,
});

type DatabaseEnvironment = z.infer<z.ZodObject<typeof database>>;

function databaseOf(env: DatabaseEnvironment): DatabaseConfig {
  if (env.DATABASE_URL) return { url: env.DATABASE_URL, poolSize: env.DB_POOL_SIZE };
  if (!env.DB_HOST) throw new ConfigError("wrong settings: DATABASE_URL or DB_HOST must be set");
  const url = new URL(`mysql://${env.DB_HOST}:${env.DB_PORT}/${env.DB_NAME}`);
  url.username = env.DB_USER;
  url.password = env.DB_PASSWORD;
  const tls = TLS_OPTION[env.DB_TLS];
  if (tls) url.searchParams.set("ssl", tls);
  return { url: url.href, poolSize: env.DB_POOL_SIZE };
}
