import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { newToken } from "../shared/token.ts";
import { LaunchError } from "./launch-error.ts";
import { writePrivateFile } from "./write-private-file.ts";

const newKey = () => randomBytes(32).toString("base64");
const newSessionSecret = () => randomBytes(32).toString("hex");

const secretsSchema = z.object({
  /** Tells the hosts of this installation from those of another on the same database server. */
  installation: z.string().min(1),
  /** 32 bytes, base64: wraps the keys that encrypt the device state. Without it the linked devices are lost. */
  stateEncryptionKey: z.base64().length(44),
  aws: z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(16) }),
  adminPassword: z.string().min(1),
  apiToken: z.string().min(1),
  /** Keys the hashes of login cookies; a new one only ends the logins. */
  sessionSecret: z.string().min(32).default(newSessionSecret),
  /** 32 bytes, base64: seals the secrets of webhooks. */
  webhookKey: z.base64().length(44).default(newKey),
});

export type Secrets = z.infer<typeof secretsSchema>;

/** Reads `secrets.json`, or makes it once. Throws `LaunchError` when it is there and cannot be used. */
export async function loadSecrets(dataDir: string): Promise<Secrets> {
  const path = join(dataDir, "secrets.json");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return await write(path, newSecrets());
  const found = parse(text);
  const result = secretsSchema.safeParse(found);
  if (!result.success) throw new LaunchError(`${path} is damaged: restore it from a backup, it holds the only keys`);
  const whole = { ...(found as object), ...result.data };
  // An earlier version did not make them all.
  return isDeepStrictEqual(found, whole) ? result.data : await write(path, whole);
}

async function write(path: string, secrets: Secrets): Promise<Secrets> {
  await writePrivateFile(path, `${JSON.stringify(secrets, undefined, 2)}\n`);
  return secrets;
}

const newSecrets = (): Secrets => ({
  installation: randomBytes(4).toString("hex"),
  stateEncryptionKey: newKey(),
  aws: {
    accessKeyId: `LOCAL${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString("base64url"),
  },
  adminPassword: randomBytes(12).toString("base64url"),
  apiToken: newToken(),
  sessionSecret: newSessionSecret(),
  webhookKey: newKey(),
});

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
