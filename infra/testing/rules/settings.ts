import { settingsOf } from "../../../shared/settings.ts";
import { one } from "../graph.ts";
import type { Graph } from "../graph.ts";
import { container } from "./socket-host.ts";
import { unless } from "./rule.ts";
import type { Rule } from "./rule.ts";

type Settings = Record<string, string>;
type ProcessName = keyof typeof settingsOf;

const FUNCTIONS: Record<Exclude<ProcessName, "socket-host">, string> = {
  api: "Api",
  deliver: "Deliver",
  migrate: "Migrate",
  sweep: "Sweep",
};

/** Settings that the cloud leaves at their default, or that mean nothing there. Every other one must be given. */
const LEFT_OUT = new Set([
  // DB_* says the same.
  "DATABASE_URL",
  // Of a process that listens itself.
  "DASHBOARD_PORT",
  "API_HOST",
  // Of an object store that clients cannot reach.
  "OBJECT_ENDPOINT",
  // Set by Lambda.
  "LAMBDA_TASK_ROOT",
  // An operator's choices.
  "APP_TIMEZONE",
  "PHONE_REGIONS",
  "RATE_LIMIT_PER_MINUTE",
  "CORS_ORIGINS",
  "ALLOWED_PRIVATE_HOSTS",
  "AUDIT_RETENTION_DAYS",
  "API_AIRABOT",
  "API_AIRABOT_SECRET",
  "CHATBOT_REPLIES_PER_MINUTE",
  "SCHEDULE_GRACE_MINUTES",
  "MEDIA_TYPES",
  "UNKEPT_CONTENT_MINUTES",
  "HISTORY_RETENTION_DAYS",
  "EVENT_RETENTION_DAYS",
  "COMMAND_RETENTION_DAYS",
  // A task makes its own.
  "HOST_ID",
  // Right for the real WhatsApp.
  "LEASE_DURATION_MS",
  "WA_WEB_SOCKET_URL",
  "WA_TRUST_ROOT",
  "WA_MEDIA_ORIGIN",
  "WA_CONNECT_TIMEOUT_MS",
  "WA_QUERY_TIMEOUT_MS",
  "WA_KEEPALIVE_INTERVAL_MS",
  "WA_RESTORE_STAGGER_MS",
  "WA_LOGINS_PER_SECOND",
  "WA_PRINT_QR_TERMINAL",
]);
/** Read by node, Lambda or SST, not by us. */
const NOT_OURS = /^(SST_|AWS_|NODE_OPTIONS$|type$)/;

/** What a process finds as its settings: variables, and secrets that are linked or filled in from the parameter store. */
function givenTo(graph: Graph, process: ProcessName): Settings {
  if (process === "socket-host") {
    const { environment, secrets } = container(graph);
    const parameters = secrets.map(({ name, valueFrom }) => {
      const parameter = graph.resources.find(
        ({ type, inputs }) => type === "aws:ssm/parameter:Parameter" && valueFrom.endsWith(String(inputs["name"])),
      );
      return [name, String(parameter?.inputs["value"])];
    });
    return Object.fromEntries([...environment.map(({ name, value }) => [name, value]), ...parameters]);
  }
  const name = FUNCTIONS[process];
  const { environment } = one(graph, "aws:lambda/function:Function", `${name}Function`).inputs;
  const linked = Object.values(graph.builds[name]?.links ?? {});
  return Object.assign({ ...environment.variables }, ...linked);
}

const eachProcess = (graph: Graph, check: (process: ProcessName, given: Settings) => string[]) =>
  (Object.keys(settingsOf) as ProcessName[]).flatMap((process) => check(process, givenTo(graph, process)));

export const settingRules: Record<string, Rule> = {
  "every process can start with the settings that it is given": (graph) =>
    eachProcess(graph, (process, given) => {
      const { error } = settingsOf[process].safeParse(given);
      return (error?.issues ?? []).map(({ path, message }) => `${process}: ${path.join(".")}: ${message}`);
    }),

  "every setting is given to its process, or left out for a reason": (graph) =>
    eachProcess(graph, (process, given) =>
      Object.keys(settingsOf[process].shape).flatMap((name) =>
        unless(name in given || LEFT_OUT.has(name), `${process} is not given ${name}`),
      ),
    ),

  "no process is given what it does not read": (graph) =>
    eachProcess(graph, (process, given) =>
      Object.keys(given)
        .filter((name) => !NOT_OURS.test(name))
        .flatMap((name) => unless(name in settingsOf[process].shape, `${process} is given ${name}`)),
    ),
};
