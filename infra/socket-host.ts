import { migrated } from "./migrate.js";
import { callers, vpc } from "./network.js";
import { keepState, takeCommands, useMedia, wakeDeliverers } from "./permissions.js";
import { hostParameters, hostSecretsInDev } from "./secrets.js";
import { hostSettings } from "./settings.js";
import { isProduction } from "./stage.js";

/** The most that Fargate gives between SIGTERM and SIGKILL; handing everything over takes a few seconds of it. */
const STOP_TIMEOUT_SECONDS = 120;
const HEALTH_PORT = "9464";
const IS_ALIVE = `fetch("http://127.0.0.1:${HEALTH_PORT}/health").then(({ ok }) => process.exit(ok ? 0 : 1))`;
/** Connections of one task, and the most tasks: see functions.ts. */
const POOL_SIZE = "10";
export const MAX_TASKS = isProduction ? 4 : 2;

const cluster = new sst.aws.Cluster("Cluster", {
  vpc: {
    id: vpc.id,
    // With an address of their own in the public subnets they reach WhatsApp without NAT; their group admits nobody.
    containerSubnets: vpc.publicSubnets,
    // There is none; the argument is demanded.
    loadBalancerSubnets: vpc.publicSubnets,
    securityGroups: [callers.id],
  },
});

const readParameters = aws.iam.getPolicyDocumentOutput({
  statements: [
    { actions: ["ssm:GetParameters"], resources: Object.values(hostParameters).map((parameter) => parameter.arn) },
  ],
});

/** The component adds the actions of `aws ecs execute-command` on every resource; nobody gets a shell in a host. */
const withoutShell = (json: string) => {
  const { Statement, ...rest } = JSON.parse(json) as { Statement: { Action: string[] }[] };
  const isOwn = ({ Action }: { Action: string[] }) => !Action.some((action) => action.startsWith("ssmmessages:"));
  return JSON.stringify({ ...rest, Statement: Statement.filter(isOwn) });
};

/** One service; its tasks share the shards by leases, so a deploy or a change of their number needs no plan. */
export const socketHost = new sst.aws.Service(
  "SocketHost",
  {
    cluster,
    architecture: "arm64",
    cpu: "0.5 vCPU",
    memory: "2 GB",
    image: { context: ".", dockerfile: "socket-host/Dockerfile" },
    permissions: [takeCommands, wakeDeliverers, ...useMedia, ...keepState],
    ssm: Object.fromEntries(Object.entries(hostParameters).map(([name, parameter]) => [name, parameter.arn])),
    environment: { ...hostSettings, ...hostSecretsInDev, DB_POOL_SIZE: POOL_SIZE, HEALTH_PORT },
    // A spot task is taken away at two minutes' notice, which is enough for a hand-over but not for a good night's sleep.
    capacity: isProduction ? { fargate: { weight: 1, base: 1 } } : "spot",
    scaling: {
      min: isProduction ? 2 : 1,
      max: MAX_TASKS,
      cpuUtilization: 70,
      memoryUtilization: 70,
      // Every change of the number moves devices between hosts, so it is not made in haste.
      scaleInCooldown: "15 minutes",
      scaleOutCooldown: "3 minutes",
    },
    health: {
      command: ["CMD", "node", "-e", IS_ALIVE],
      startPeriod: "60 seconds",
      interval: "30 seconds",
      timeout: "5 seconds",
      retries: 3,
    },
    logging: { retention: isProduction ? "3 months" : "1 week" },
    dev: { command: "node --import tsx socket-host/main.ts" },
    transform: {
      taskDefinition: (task) => {
        // The component has no argument for these. Its default opens every port.
        task.containerDefinitions = $util.output(task.containerDefinitions).apply((json) =>
          JSON.stringify(
            (JSON.parse(json) as object[]).map((container) => ({
              ...container,
              stopTimeout: STOP_TIMEOUT_SECONDS,
              // node is process 1, as in the image: an init between them is one more that must pass signals on.
              linuxParameters: { initProcessEnabled: false },
              pseudoTerminal: false,
              portMappings: [],
            })),
          ),
        );
        return undefined;
      },
      service: (service) => {
        // The new tasks are up before the old ones are told to go, and those hand their shards over.
        service.deploymentMinimumHealthyPercent = 100;
        service.deploymentMaximumPercent = 200;
        service.enableExecuteCommand = false;
        service.propagateTags = "SERVICE";
        // The component gives addresses only in a network that it knows by its own type.
        service.networkConfiguration = {
          subnets: vpc.publicSubnets,
          securityGroups: [callers.id],
          assignPublicIp: true,
        };
        return undefined;
      },
      taskRole: (role) => {
        role.inlinePolicies = $util
          .output(role.inlinePolicies ?? [])
          .apply((policies) => policies.map(({ name, policy }) => ({ name, policy: withoutShell(policy ?? "{}") })));
        return undefined;
      },
      executionRole: (role) => {
        // The component lets it read every parameter and secret of the account.
        role.inlinePolicies = [{ name: "inline", policy: readParameters.json }];
        return undefined;
      },
    },
  },
  { dependsOn: migrated },
);
