/**
 * The only reader of the environment. Each process loads the section it needs; a missing or wrong variable is a
 * `ConfigError` that names every one of them, so that an operator mends the set-up in one go.
 *
 * The AWS SDK reads its own variables besides: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_ENDPOINT_URL_S3 / _SQS (set only where something else than AWS is meant).
 */
import * as z from "zod";
import type { HostId } from "./ids.ts";

export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

type Environment = Record<string, string | undefined>;

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
const bytes32 = z.string().transform((text, context) => {
  const key = Buffer.from(text, "base64");
  if (key.length === 32) return key;
  context.addIssue({ code: "custom", message: "must be 32 bytes in base64" });
  return z.NEVER;
});

const logging = {
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
};

/** `DATABASE_URL`, or the `DB_*` variables that operators of the original service have. */
const database = {
  DATABASE_URL: z.string().startsWith("mysql://", "must begin with mysql://").optional(),
  DB_HOST: z.string().optional(),
  DB_PORT: portNumber.default(3306),
  DB_USER: z.string().default("root"),
  DB_PASSWORD: z.string().default(""),
  DB_NAME: z.string().default("whatsapp"),
  DB_POOL_SIZE: z.coerce.number().int().min(1).max(100).default(10),
};

const queues = {
  COMMAND_QUEUE_URLS: z
    .string()
    .transform((list) => list.split(","))
    .pipe(z.array(z.url()).min(1)),
};

/** Files on their way in and out, and the answers of reading commands; everything in it expires. */
const media = { MEDIA_BUCKET: z.string().min(3) };

const apiSchema = z.object({
  ...logging,
  ...database,
  ...queues,
  ...media,
  DASHBOARD_PORT: portNumber.default(4000),
  API_HOST: z.string().default("127.0.0.1"),
  APP_TIMEZONE: z.string().refine(isTimeZone, "must be an IANA time zone").default("Asia/Jakarta"),
  PHONE_REGIONS: z.string().refine(isRegionList, "must be * or a list such as ID,MY,SG").optional(),
  SYNC_WAIT_MS: milliseconds(25_000),
});

const hostSchema = z.object({
  ...logging,
  ...database,
  ...queues,
  ...media,
  STATE_BUCKET: z.string().min(3),
  STATE_ENCRYPTION_KEY: bytes32,
  HOST_ID: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,40}$/, "must be 1-40 letters, digits, - or _")
    .optional(),
  LEASE_DURATION_MS: milliseconds(15_000),
  WA_WEB_SOCKET_URL: z
    .url({ protocol: /^wss?$/, error: "must begin with ws:// or wss://" })
    .default("wss://web.whatsapp.com/ws/chat"),
  WA_TRUST_ROOT: bytes32.optional(),
  WA_CONNECT_TIMEOUT_MS: milliseconds(120_000),
  WA_QUERY_TIMEOUT_MS: milliseconds(120_000),
  WA_KEEPALIVE_INTERVAL_MS: milliseconds(30_000),
  WA_RESTORE_STAGGER_MS: z.coerce.number().int().min(0).default(500),
  WA_LOGINS_PER_SECOND: z.coerce.number().positive().max(1000).default(20),
  WA_PRINT_QR_TERMINAL: z.stringbool().default(false),
});

/** Where MySQL is. `DATABASE_URL` wins over `DB_*`; `?socketPath=` in it means a Unix socket. */
export type DatabaseConfig = { url: string; poolSize: number };
export type ApiConfig = ReturnType<typeof loadApiConfig>;
export type HostConfig = ReturnType<typeof loadHostConfig>;
export type WhatsAppConfig = HostConfig["whatsapp"];

/** For the API functions. Throws `ConfigError`. */
export function loadApiConfig(environment: Environment = process.env) {
  const env = read(apiSchema, environment);
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
  };
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

function read<T extends z.ZodType>(schema: T, environment: Environment): z.infer<T> {
  // An empty variable means "not set": that is what `VAR=` in an env file says.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const result = schema.safeParse(set);
  if (result.success) return result.data;
  const wrong = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new ConfigError(`wrong settings: ${wrong.join("; ")}`);
}

type DatabaseEnvironment = z.infer<z.ZodObject<typeof database>>;

function databaseOf(env: DatabaseEnvironment): DatabaseConfig {
  if (env.DATABASE_URL) return { url: env.DATABASE_URL, poolSize: env.DB_POOL_SIZE };
  if (!env.DB_HOST) throw new ConfigError("wrong settings: DATABASE_URL or DB_HOST must be set");
  const url = new URL(`mysql://${env.DB_HOST}:${env.DB_PORT}/${env.DB_NAME}`);
  url.username = env.DB_USER;
  url.password = env.DB_PASSWORD;
  return { url: url.href, poolSize: env.DB_POOL_SIZE };
}
