import { database } from "./database.js";
import { prefix } from "./stage.js";

/** 32 bytes in base64: wraps the keys of every device's state. Whoever deploys keeps a copy: it is not to be had again. */
const stateEncryptionKey = new sst.Secret("StateEncryptionKey");

/**
 * Linked to functions: SST packs it encrypted beside the code, and shared/config.ts reads it as if each were a variable.
 * A plain variable of a function can be read by everybody who may look at the function.
 */
export const databaseSecrets = new sst.Linkable("DatabaseSettings", { properties: { DB_PASSWORD: database.password } });

/** Keys the hashes of login cookies: 32 random characters or more. A new one only ends the logins. */
const sessionSecret = new sst.Secret("SessionSecret");
/** 32 bytes in base64: seals the secrets of webhooks. With another one every webhook needs a new secret. */
const webhookEncryptionKey = new sst.Secret("WebhookEncryptionKey");
export const apiSecrets = new sst.Linkable("ApiSettings", { properties: { SESSION_SECRET: sessionSecret.value } });
export const webhookSecrets = new sst.Linkable("WebhookSettings", {
  properties: { WEBHOOK_ENCRYPTION_KEY: webhookEncryptionKey.value },
});

const secureParameter = (name: string, value: $util.Output<string>) =>
  new aws.ssm.Parameter(name, { name: `/${prefix}/${name}`, type: "SecureString", value });

/** For containers, by reference: a link would print them into the task definition and hand them to the image's build. */
export const hostParameters = {
  DB_PASSWORD: secureParameter("DatabasePassword", database.password),
  STATE_ENCRYPTION_KEY: secureParameter("StateEncryptionKeyParameter", stateEncryptionKey.value),
};

/** `sst dev` starts the host on this machine, where no parameter store fills them in. */
export const hostSecretsInDev: Record<string, $util.Output<string>> = $dev
  ? { DB_PASSWORD: database.password, STATE_ENCRYPTION_KEY: stateEncryptionKey.value }
  : {};
