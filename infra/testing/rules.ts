import { databaseRules } from "./rules/database.ts";
import { functionRules } from "./rules/functions.ts";
import { monitoringRules } from "./rules/monitoring.ts";
import { networkRules } from "./rules/network.ts";
import { permissionRules } from "./rules/permissions.ts";
import { queueRules } from "./rules/queues.ts";
import type { Rule } from "./rules/rule.ts";
import { secretRules } from "./rules/secrets.ts";
import { settingRules } from "./rules/settings.ts";
import { socketHostRules } from "./rules/socket-host.ts";
import { storageRules } from "./rules/storage.ts";

/** The secrets with which the tests make their graphs: what must not be readable anywhere. */
export const SECRETS = {
  StateEncryptionKey: Buffer.alloc(32, "state key").toString("base64"),
  WebhookEncryptionKey: Buffer.alloc(32, "webhook key").toString("base64"),
  SessionSecret: "a session secret of thirty-two characters",
};
/** What the stand-in for a generated password begins with (stand-ins.mjs). */
const GENERATED = "GENERATED";

/** Everything that must hold in the graph of a deployed stage, by what it says. */
export const rules: Record<string, Rule> = {
  ...networkRules,
  ...databaseRules,
  ...storageRules,
  ...queueRules,
  ...permissionRules,
  ...functionRules,
  ...socketHostRules,
  ...secretRules([...Object.values(SECRETS), GENERATED]),
  ...settingRules,
  ...monitoringRules,
};
