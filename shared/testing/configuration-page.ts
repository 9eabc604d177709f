import * as z from "zod";
import { settingsOf } from "../settings.ts";

type Property = { description?: string; default?: string | number | boolean };

/** Given by `npm start`, `npm run sandbox` or a deploy; only who runs the processes otherwise gives them. */
const GIVEN = [
  "COMMAND_QUEUE_URLS",
  "MEDIA_BUCKET",
  "STATE_BUCKET",
  "STATE_ENCRYPTION_KEY",
  "HOST_ID",
  "SESSION_SECRET",
  "WEBHOOK_ENCRYPTION_KEY",
  "LAMBDA_TASK_ROOT",
];

const INTRODUCTION = `# Settings

Made from [shared/settings.ts](../shared/settings.ts). A process that finds a setting wrong
or missing says so for all of them at once and ends. An empty variable is one that is not set.

The AWS SDK reads its own besides: \`AWS_REGION\`, \`AWS_ACCESS_KEY_ID\`, \`AWS_SECRET_ACCESS_KEY\`, and \`AWS_ENDPOINT_URL_S3\`,
\`AWS_ENDPOINT_URL_SQS\`, \`AWS_ENDPOINT_URL_SCHEDULER\` where something else than AWS is meant. \`npm start\` sets all of these
for its processes, and takes none of them from outside.

\`WEBSOCKET_URL\` and \`WS_URL\` of the original service are accepted and not needed; the log says so.`;

/** What \`docs/configuration.md\` must be. */
export function configurationPage(): string {
  const rows = new Map<string, { property: Property; isRequired: boolean; processes: string[] }>();
  for (const [process, schema] of Object.entries(settingsOf)) {
    const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
    for (const [name, property] of Object.entries(properties)) {
      const row = rows.get(name) ?? {
        property: property as Property,
        isRequired: required.includes(name),
        processes: [],
      };
      row.processes.push(process);
      rows.set(name, row);
    }
  }
  const line = (name: string) => {
    const row = rows.get(name);
    if (!row?.property.description) throw new Error(`the setting ${name} has no description`);
    const { default: fallback, description } = row.property;
    const shown = row.isRequired ? "must be set" : fallback === undefined || fallback === "" ? "" : `\`${fallback}\``;
    return `| \`${name}\` | ${shown} | ${row.processes.join(", ")} | ${description} |`;
  };
  const table = (names: string[]) =>
    ["| variable | default | read by | |", "|---|---|---|---|", ...names.map(line)].join("\n");
  const chosen = [...rows.keys()].filter((name) => !GIVEN.includes(name));
  return [
    INTRODUCTION,
    "## What an operator may set",
    table(chosen),
    "## What `npm start` or a deploy sets",
    table(GIVEN.filter((name) => rows.has(name))),
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}
