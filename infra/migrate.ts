import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { FUNCTION_POOL_SIZE, functionDefaults } from "./functions.js";
import { databaseSecrets } from "./secrets.js";
import { databaseSettings } from "./settings.js";

const MIGRATIONS = `${$cli.paths.root}/shared/db/migrations`;

export const migrate = new sst.aws.Function("Migrate", {
  ...functionDefaults,
  handler: "functions/migrate.handler",
  timeout: "15 minutes",
  copyFiles: [...functionDefaults.copyFiles, { from: "shared/db/migrations", to: "migrations" }],
  link: [databaseSecrets],
  environment: { ...databaseSettings, DB_POOL_SIZE: FUNCTION_POOL_SIZE },
  // Never two at once: they would only wait for each other.
  concurrency: { reserved: 1 },
});

/** Every deploy with a new migration runs it before anything that needs it is put in place. Fails the deploy when it fails. */
export const migrated = $dev
  ? []
  : [
      new aws.lambda.Invocation("Migration", {
        functionName: migrate.name,
        input: "{}",
        triggers: { migrations: hashOfMigrations() },
      }),
    ];

function hashOfMigrations(): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(MIGRATIONS).sort()) hash.update(name).update(readFileSync(`${MIGRATIONS}/${name}`));
  return hash.digest("hex");
}
