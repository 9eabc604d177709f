/**
 * The settings of each process, by the names of the environment's variables: what they are, and what they may be. Nothing
 * here reads the environment; `shared/config.ts` does. `docs/configuration.md` is made from what stands here.
 */
import { isIPv6 } from "node:net";
import * as z from "zod";
import { USUAL_MEDIA_TYPES } from "./media.ts";

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);
export const portNumber = z.coerce.number().int().min(0).max(65_535);
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
/** Of a URL; an IPv6 address without brackets. */
export const hostnameOf = (url: string) => new URL(url).hostname.replace(/^\[|\]$/g, "");
/** A host as the `hostname` of a URL has it, but an IPv6 address without brackets. Undefined when it is not a host alone. */
const hostOf = (text: string) => {
  const written = `http://${isIPv6(text) ? `[${text}]` : text}/`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  return url?.href === `http://${url?.hostname}/` ? hostnameOf(url.href) : undefined;
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
export const isStrong = (secret: string) => secret.length >= 32 && new Set(secret).size >= 10;

export const logging = {
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("How much is logged."),
};

/** `DATABASE_URL`, or the `DB_*` variables that operators of the original service have. */
export const database = {
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
  DELIVERY_QUEUE_URL: z.url().describe("The SQS queue that wakes whoever delivers events to webhooks."),
};

const webhookSecrets = {
  WEBHOOK_ENCRYPTION_KEY: bytes32.describe(
    "32 bytes in base64: seals the secrets of webhooks. With another one every webhook needs a new secret.",
  ),
};

/** Of each process that has EventBridge Scheduler do something later. */
export const scheduling = {
  SCHEDULER_GROUP: z.string().min(1).describe("The schedule group in EventBridge Scheduler of scheduled messages."),
  SCHEDULER_ROLE_ARN: z.string().startsWith("arn:").describe("The role in which it puts messages into the queues."),
  SCHEDULER_DEAD_LETTER_ARN: z
    .string()
    .startsWith("arn:")
    .describe("The SQS queue for what it could not put into them; not a FIFO queue."),
};

/** Files on their way in and out, and the answers of reading commands; everything in it expires. */
const media = {
  MEDIA_BUCKET: z.string().min(3).describe("S3 bucket of files on their way and of answers with content; all expires."),
};

const auditing = {
  AUDIT_RETENTION_DAYS: z.coerce.number().int().min(1).default(365).describe("How long the audit log is kept."),
};

/** Of each process that takes files to send. */
const sendable = {
  MEDIA_TYPES: z
    .string()
    .default(USUAL_MEDIA_TYPES.join(","))
    .transform((list) => list.split(",").map((type) => type.trim().toLowerCase()))
    .pipe(z.array(z.string().regex(/^[\w.+-]+\/[\w.+-]+$/, "must be a list such as image/jpeg,application/pdf")))
    .describe("Types of files that may be sent, by their content, with commas between them."),
};

/** How clients bring files, and get them. */
const mediaRequests = {
  MEDIA_REQUEST_MAX_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(18 * 1024 * 1024)
    .describe("How large a request with files may be. In the cloud a function takes no more than 6 MB."),
  OBJECT_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Where the object store is, if clients cannot reach it: then links to files lead through the API."),
};

/** Of each process that fetches URLs which users give. */
const fetching = {
  ALLOWED_PRIVATE_HOSTS: hostList
    .optional()
    .describe(
      "Hosts of yours that URLs of users may name though they are inside, with commas between them. Not set: none.",
    ),
};

export const apiSchema = z.object({
  ...logging,
  ...database,
  ...queues,
  ...scheduling,
  ...media,
  ...sendable,
  ...mediaRequests,
  ...fetching,
  ...webhookSecrets,
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
  ...auditing,
});

export const hostSchema = z.object({
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
  SCHEDULE_GRACE_MINUTES: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_080)
    .default(60)
    .describe("How long a scheduled message waits for a device that is not connected when its time has come."),
  LEASE_DURATION_MS: milliseconds(15_000).describe("How long a dead host's devices wait for another host."),
  WA_WEB_SOCKET_URL: z
    .url({ protocol: /^wss?$/, error: "must begin with ws:// or wss://" })
    .default("wss://web.whatsapp.com/ws/chat")
    .describe("Where WhatsApp is."),
  WA_TRUST_ROOT: bytes32.optional().describe("Only with a simulator: the key that signs its certificates, in base64."),
  WA_MEDIA_ORIGIN: z
    .url({ protocol: /^https?$/, error: "must begin with http:// or https://" })
    .optional()
    .describe("Only with a simulator: where its media server is, in the place of WhatsApp's."),
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

export const deliverSchema = z.object({
  ...logging,
  ...database,
  ...queues,
  ...media,
  ...sendable,
  ...fetching,
  ...webhookSecrets,
  API_AIRABOT: z
    .url({ protocol: /^https?$/, error: "must begin with http:// or https://" })
    .optional()
    .describe("The chatbot of numbers that have no endpoint of their own. It may be inside."),
  API_AIRABOT_SECRET: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, "must be whsec_ and 24 to 64 bytes in base64")
    .optional()
    .describe("What requests to it are signed with. Not set: they are signed with something that nobody knows."),
  CHATBOT_REPLIES_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .default(20)
    .describe("Most replies of a chatbot to one chat in a minute; what is more is dropped, so that two bots stop."),
});

const days = (fewest: number) => z.coerce.number().int().min(fewest).max(36_500).default(fewest);

export const sweepSchema = z.object({
  ...logging,
  ...database,
  ...queues,
  ...scheduling,
  ...media,
  ...auditing,
  UNKEPT_CONTENT_MINUTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(60)
    .describe(
      "How long events of a number that is not allowed can be read with their content. Those that a webhook is to be told of stay whole until then.",
    ),
  HISTORY_RETENTION_DAYS: days(0).describe("How long stored messages of allowed numbers are kept; 0: for ever."),
  EVENT_RETENTION_DAYS: days(7)
    .default(30)
    .describe("How long events can be read and replayed; at least 7, since they are delivered for three days."),
  COMMAND_RETENTION_DAYS: days(1)
    .default(30)
    .describe(
      "How long commands, jobs and schedules that have ended can be asked for, and idempotency keys are known.",
    ),
});

export const migrateSchema = z.object({
  ...logging,
  ...database,
  LAMBDA_TASK_ROOT: z.string().optional().describe("Set by Lambda: where the function's files are."),
});

/** The settings of each process, for those who check or describe them. */
export const settingsOf = {
  api: apiSchema,
  "socket-host": hostSchema,
  deliver: deliverSchema,
  sweep: sweepSchema,
  migrate: migrateSchema,
};
