import { ofType, one } from "../graph.ts";
import type { Graph } from "../graph.ts";
import { container } from "./socket-host.ts";
import { unless } from "./rule.ts";
import type { Rule } from "./rule.ts";

const instance = (graph: Graph) => one(graph, "aws:rds/instance:Instance", "DatabaseInstance").inputs;
/** For people with a shell, RDS's own connections and the overlap of a deploy. */
const SPARE = 10;

function parameter(graph: Graph, name: string): string | undefined {
  const group = one(graph, "aws:rds/parameterGroup:ParameterGroup", "DatabaseParameterGroup").inputs;
  const parameters = group["parameters"] as { name: string; value: string }[];
  return parameters.find((each) => each.name === name)?.value;
}

/** Everybody who connects: functions at their reserved concurrency, hosts at their highest number. */
function mostConnections(graph: Graph): number {
  const functions = ofType(graph, "aws:lambda/function:Function").map(({ inputs }) => {
    const poolSize = Number(inputs["environment"].variables["DB_POOL_SIZE"] ?? 10);
    return Number(inputs["reservedConcurrentExecutions"]) * poolSize;
  });
  const { maxCapacity } = one(graph, "aws:appautoscaling/target:Target", "SocketHostAutoScalingTarget").inputs;
  const hostPool = Number(container(graph).environment.find(({ name }) => name === "DB_POOL_SIZE")?.value ?? 10);
  return functions.reduce((sum, each) => sum + each, 0) + Number(maxCapacity) * hostPool;
}

export const databaseRules: Record<string, Rule> = {
  "MySQL 8.4, private, encrypted, backed up": (graph) => {
    const { engineVersion, publiclyAccessible, storageEncrypted, backupRetentionPeriod } = instance(graph);
    return [
      ...unless(String(engineVersion).startsWith("8.4."), `version ${engineVersion}`),
      ...unless(publiclyAccessible === false, "it has a public address"),
      ...unless(storageEncrypted === true, "it is not encrypted"),
      ...unless(backupRetentionPeriod >= 1, "it is not backed up"),
    ];
  },

  "TLS is demanded by the server and used by everybody": (graph) => {
    const isUsed = ofType(graph, "aws:lambda/function:Function").every(
      ({ inputs }) => inputs["environment"].variables["DB_TLS"] === "amazon-rds",
    );
    const hostUses = container(graph).environment.some(
      ({ name, value }) => name === "DB_TLS" && value === "amazon-rds",
    );
    return [
      ...unless(parameter(graph, "require_secure_transport") === "ON", "the server takes plain connections"),
      ...unless(isUsed && hostUses, "somebody connects without"),
    ];
  },

  "it admits functions and hosts only": (graph) => {
    const { ingress } = one(graph, "aws:ec2/securityGroup:SecurityGroup", "DatabaseGroup").inputs;
    const isOurs = String(instance(graph)["vpcSecurityGroupIds"]) === "DatabaseGroup-id";
    const [rule] = ingress as { fromPort: number; toPort: number; securityGroups?: string[]; cidrBlocks?: string[] }[];
    const isNarrow = rule?.fromPort === 3306 && rule.toPort === 3306 && String(rule.securityGroups) === "Callers-id";
    return unless(isOurs && ingress.length === 1 && isNarrow && !rule?.cidrBlocks, JSON.stringify(ingress));
  },

  "production is in two zones, protected against deletion, and leaves a last snapshot": (graph) => {
    if (graph.app.stage !== "production") return [];
    const { multiAz, deletionProtection, skipFinalSnapshot, finalSnapshotIdentifier } = instance(graph);
    return unless(multiAz && deletionProtection && !skipFinalSnapshot && finalSnapshotIdentifier, "it is not");
  },

  "it has connections for all who may connect at once": (graph) => {
    const has = Number(parameter(graph, "max_connections"));
    const wanted = mostConnections(graph) + SPARE;
    return unless(wanted <= has, `${wanted} are wanted, ${has} are there`);
  },
};
