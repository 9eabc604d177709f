/**
 * The only reader of the environment. Each process loads the section it needs; a missing or wrong variable is a
 * `ConfigError` that names every one of them, so that an operator mends the set-up in one go. `docs/configuration.md`
 * is made from what stands here.
 *
 * The AWS SDK reads its own variables besides: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_ENDPOINT_URL_S3 / _SQS (set only where something else than AWS is meant).
 */
import { randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";
import { pathToFileURL } from "node:url";
import { Resource } from "sst/resource";
import * as z from "zod";
import type { HostId } from "./ids.ts";

export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

type Environment = Record<string, string | undefined>;

/** What infra/secrets.ts links to functions: SST packs it encrypted beside their code. Elsewhere there is none of it. */
const LINKED = ["DatabaseSettings", "ApiSettings"];

/** The environment, and over it the secrets that SST has linked, each under the name of a variable. */
function surroundings(): Environment {
  const linked = Resource as unknown as Record<string, Environment>;
  return Object.assign({ ...process.env }, ...LINKED.map((name) => (name in linked ? linked[name] : {})));
}

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);
const portNumber = z.coerce.number().int().min(0).max(65_535);
const isTimeZone = (zone: string) => {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: zone }));
  } catch {
    return false;
  }
};
const isRegionList = (list: string) => list === "*" || list.split(",").every((region) => /^[A-Z]{2}$/.test(region));
const isOriginList = (list: string) =>
  list === "*" || list.split(",").every((origin) => URL.canParse(origin) && new URL(origin).origin === origin);
/** A host as the `hostname` of a URL has it, but an IPv6 address without brackets. Undefined when it is not a host alone. */
const hostOf = (text: string) => {
  const written = `http://${isIPv6(text) ? `[${text}]` : text}/`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  return url?.href === `http://${url?.hostname}/` ? url.hostname.replace(/^\[|\]$/g, "") : undefined;
};
const hostList = z.string().transform((list, context) => {
  const hosts = list.split(",").map((text) => hostOf(text.trim()));
  if (hosts.every((host) => host !== undefined)) return hosts;
  context.addIssue({
    code: "custom",
    message: "must be a list of host names and addresses such as localhost,10.0.0.7",
  });
  return z.NEVER;
});
const bytes32 = z.string().transform((text, context) => {
  const key = Buffer.from(text, "base64");
  if (key.length === 32) return key;
  context.addIssue({ code: "custom", message: "must be 32 bytes in base64" });
  return z.NEVER;
});

/** As long as 32 random characters are, and not a few of them again and again. */
const isStrong = (secret: string) => secret.length >= 32 && new Set(secret).size >= 10;

const logging = {
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("How much is logged."),
};

/** `DATABASE_URL`, or the `DB_*` variables that operators of the original service have. */
const database = {
  DATABASE_URL: z
    .string()
    .startsWith("mysql://", "must begin with mysql://")
    .optional()
    .describe("MySQL or MariaDB in one line; wins over all `DB_*`. `?socketPath=` in it means a Unix socket."),
  DB_HOST: z.string().optional().describe("Host of the database server."),
  DB_PORT: portNumber.default(3306).describe("Its port."),
  DB_USER: z.string().default("root").describe("The user that it knows us as."),
  DB_PASSWORD: z.string().default("").describe("That user's password."),
  DB_NAME: z.string().default("whatsapp").describe("The database in it."),
  DB_TLS: z
    .enum(["off", "on", "amazon-rds"])
    .default("off")
    .describe("`on`: TLS with a certificate that this machine trusts; `amazon-rds`: one that Amazon signed."),
  DB_POOL_SIZE: z.coerce.number().int().min(1).max(100).default(10).describe("Most connections of one process."),
};

const queues = {
  COMMAND_QUEUE_URLS: z
    .string()
    .transform((list) => list.split(","))
    .pipe(z.array(z.url()).min(1))
    .describe("The SQS FIFO queues of the shards, with commas between them; the place in the list is the shard."),
};

/** Files on their way in and out, and the answers of reading commands; everything in it expires. */
const media = {
  MEDIA_BUCKET: z.string().min(3).describe("S3 bucket of files on their way and of answers with content; all expires."),
};

/** Of each process that fetches URLs which users give. */
const fetching = {
  ALLOWED_PRIVATE_HOSTS: hostList
    .optional()
    .describe(
      "Hosts of yours that URLs of users may name though they are inside, with commas between them. Not set: none.",
    ),
};

const apiSchema = z.object({
  ...logging,
  ...database,
  ...queues,
  ...media,
  ...fetching,
  DASHBOARD_PORT: portNumber.default(4000).describe("The API's port; 0 takes any free one."),
  API_HOST: z.string().default("127.0.0.1").describe("The address that the API listens on."),
  APP_TIMEZONE: z
    .string()
    .refine(isTimeZone, "must be an IANA time zone")
    .default("Asia/Jakarta")
    .describe("The zone of the times in answers."),
  PHONE_REGIONS: z
    .string()
    .refine(isRegionList, "must be * or a list such as ID,MY,SG")
    .optional()
    .describe(
      "Countries whose numbers are taken, such as `ID,MY,SG`, or `*`. Not set: the rule of the original service.",
    ),
  SYNC_WAIT_MS: milliseconds(25_000).describe(
    "How long a request waits for its command before it is answered with 202.",
  ),
  SESSION_SECRET: z
    .string()
    .refine(isStrong, "must be 32 random characters or more, as of `openssl rand -hex 32`")
    .describe("32 random characters or more: keys the hashes of login cookies. A new one ends every login."),
  TRUSTED_PROXIES: z.coerce
    .number()
    .int()
    .min(0)
    .max(10)
    .default(0)
    .describe("How many proxies of yours stand before the API: their `X-Forwarded-*` is believed."),
  RATE_LIMIT_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(0)
    .default(6_000)
    .describe("Most requests a minute of one token or login; 0: any number."),
  CORS_ORIGINS: z
    .string()
    .refine(isOriginList, "must be * or a list of origins such as https://app.example.com")
    .optional()
    .describe("Origins whose pages may call with a token, with commas between them, or `*`. Not set: none."),
  AUDIT_RETENTION_DAYS: z.coerce.number().int().min(1).default(365).describe("How long the audit log is kept."),
});

const hostSchema = z.object({
  ...logging,
  ...database,
  ...queues,
  ...media,
  STATE_BUCKET: z.string().min(3).describe("S3 bucket of the devices' keys and state."),
  STATE_ENCRYPTION_KEY: bytes32.describe(
    "32 bytes in base64. Without it the linked devices cannot be read: keep a copy.",
  ),
  HOST_ID: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,40}$/, "must be 1-40 letters, digits, - or _")
    .optional()
    .describe("Only for a supervisor that never runs two hosts of one id; otherwise each start makes its own."),
  HEALTH_PORT: portNumber
    .optional()
    .describe("Where a host tells on loopback, at `/health`, that it lives. Not set: nowhere."),
  LEASE_DURATION_MS: milliseconds(15_000).describe("How long a dead host's devices wait for another host."),
  WA_WEB_SOCKET_URL: z
    .url({ protocol: /^wss?$/, error: "must begin with ws:// or wss://" })
    .default("wss://web.whatsapp.com/ws/chat")
    .describe("Where WhatsApp is."),
  WA_TRUST_ROOT: bytes32.optional().describe("Only with a simulator: the key that signs its certificates, in base64."),
  WA_CONNECT_TIMEOUT_MS: milliseconds(120_000).describe("How long a connection to WhatsApp may take to open."),
  WA_QUERY_TIMEOUT_MS: milliseconds(120_000).describe("How long WhatsApp may take to answer a query."),
  WA_KEEPALIVE_INTERVAL_MS: milliseconds(30_000).describe("How often a quiet connection is tried."),
  WA_RESTORE_STAGGER_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(500)
    .describe("The pause between the logins of two devices after a start."),
  WA_LOGINS_PER_SECOND: z.coerce
    .number()
    .positive()
    .max(1000)
    .default(20)
    .describe("Most logins a second, of all hosts together."),
  WA_PRINT_QR_TERMINAL: z
    .stringbool()
    .default(false)
    .describe("Print the QR code of a device in the terminal, to be scanned there."),
});

const migrateSchema = z.object({
  ...logging,
  ...database,
  LAMBDA_TASK_ROOT: z.string().optional().describe("Set by Lambda: where the function's files are."),
});

/** Where MySQL is. `DATABASE_URL` wins over `DB_*`; `?socketPath=` in it means a Unix socket. */
export type DatabaseConfig = { url: string; poolSize: number };
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
    mediaBucket: env.MEDIA_BUCKET,
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
  };
}

/** A developer goes without a good SESSION_SECRET: logins end with the process. */
function withDevelopmentSecret(environment: Environment): Environment {
  const { NODE_ENV, SESSION_SECRET } = environment;
  if (NODE_ENV !== "development" || isStrong(SESSION_SECRET ?? "")) return environment;
  return { ...environment, SESSION_SECRET: randomBytes(32).toString("hex") };
}

/** For a socket host. Throws `ConfigError`, also when a simulator's trust root is combined with the real WhatsApp. */
export function loadHostConfig(environment: Environment = process.env) {
  const env = read(hostSchema, environment);
  if (env.WA_TRUST_ROOT && /\.whatsapp\.(net|com)$/i.test(new URL(env.WA_WEB_SOCKET_URL).hostname)) {
    throw new ConfigError("WA_TRUST_ROOT is for a simulator: it cannot be combined with a WhatsApp address");
  }
  return {
    logLevel: env.LOG_LEVEL,
    database: databaseOf(env),
    commandQueueUrls: env.COMMAND_QUEUE_URLS,
    mediaBucket: env.MEDIA_BUCKET,
    stateBucket: env.STATE_BUCKET,
    stateEncryptionKey: env.STATE_ENCRYPTION_KEY,
    /** Given only by a supervisor that never runs two hosts of one id: a restarted host then need not wait for its old leases. */
    hostId: env.HOST_ID as HostId | undefined,
    healthPort: env.HEALTH_PORT,
    leaseDurationMs: env.LEASE_DURATION_MS,
    whatsapp: {
      webSocketUrl: env.WA_WEB_SOCKET_URL,
      /** The 32-byte public key that signs a simulator's certificates; undefined for the real WhatsApp. */
      trustRoot: env.WA_TRUST_ROOT,
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

/** The settings of each process, for those who check or describe them. */
export const settingsOf = { api: apiSchema, "socket-host": hostSchema, migrate: migrateSchema };

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
