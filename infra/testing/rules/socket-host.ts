import * as z from "zod";
import { ofType, one } from "../graph.ts";
import type { Graph } from "../graph.ts";
import { unless } from "./rule.ts";
import type { Rule } from "./rule.ts";

const pair = z.object({ name: z.string(), value: z.string() });
const containerSchema = z.object({
  environment: z.array(pair),
  secrets: z.array(z.object({ name: z.string(), valueFrom: z.string() })),
  stopTimeout: z.number().optional(),
  command: z.array(z.string()).nullish(),
  entryPoint: z.array(z.string()).nullish(),
  pseudoTerminal: z.boolean(),
  portMappings: z.array(z.unknown()),
  linuxParameters: z.object({ initProcessEnabled: z.boolean() }),
  healthCheck: z.object({ command: z.array(z.string()), startPeriod: z.number() }).optional(),
});

/** The one container of the socket host's task. */
export function container(graph: Graph) {
  const task = one(graph, "aws:ecs/taskDefinition:TaskDefinition", "SocketHostTask");
  const [only] = z.array(containerSchema).length(1).parse(JSON.parse(task.inputs["containerDefinitions"]));
  if (!only) throw new Error("the task has no container");
  return only;
}

const service = (graph: Graph) => one(graph, "aws:ecs/service:Service", "SocketHostService").inputs;

/** ECS: 30 s if not said, at most 120 s on Fargate. A host may need 5 s for its commands and as long for its devices. */
const STOP_SECONDS = { least: 60, most: 120 };

export const socketHostRules: Record<string, Rule> = {
  "a deploy starts new hosts before it ends old ones, and these have time to hand over": (graph) => {
    const { deploymentMinimumHealthyPercent: least, deploymentMaximumPercent: most } = service(graph);
    const { stopTimeout = 30 } = container(graph);
    return [
      ...unless(least === 100 && most === 200, `deployments run between ${least} % and ${most} %`),
      ...unless(
        stopTimeout >= STOP_SECONDS.least && stopTimeout <= STOP_SECONDS.most,
        `stop time-out ${stopTimeout} s`,
      ),
    ];
  },

  "SIGTERM reaches node: it is process 1, as the image starts it": (graph) => {
    const { command, entryPoint, linuxParameters } = container(graph);
    return unless(!command && !entryPoint && !linuxParameters.initProcessEnabled, "something stands before it");
  },

  "a deploy that fails is rolled back": (graph) =>
    unless(service(graph)["deploymentCircuitBreaker"]?.rollback === true, "it is not"),

  "hosts can be reached by nobody and reach everything": (graph) => {
    const { subnets, assignPublicIp, securityGroups } = service(graph)["networkConfiguration"];
    return [
      ...unless(container(graph).portMappings.length === 0, "a port is open"),
      ...unless(ofType(graph, "aws:lb/loadBalancer:LoadBalancer").length === 0, "a load balancer leads to it"),
      ...unless(assignPublicIp === true && String(subnets).includes("Public"), "it has no way out"),
      ...unless(String(securityGroups) === "Callers-id", "it is in another security group"),
      ...unless(service(graph)["enableExecuteCommand"] === false, "one gets a shell in it"),
    ];
  },

  "its health is looked at": (graph) => unless(container(graph).healthCheck?.command[0] === "CMD", "it is not"),

  "the number of hosts stays between one and the number of shards, two and more in production": (graph) => {
    const { minCapacity, maxCapacity } = one(
      graph,
      "aws:appautoscaling/target:Target",
      "SocketHostAutoScalingTarget",
    ).inputs;
    const least = graph.app.stage === "production" ? 2 : 1;
    return unless(minCapacity >= least && maxCapacity <= 16, `${minCapacity} to ${maxCapacity}`);
  },

  "it runs on arm64, like the functions": (graph) => {
    const task = one(graph, "aws:ecs/taskDefinition:TaskDefinition", "SocketHostTask").inputs;
    const [image] = ofType(graph, "docker-build:index:Image");
    return unless(
      task["runtimePlatform"].cpuArchitecture === "ARM64" && String(image?.inputs["platforms"]) === "linux/arm64",
      "it does not",
    );
  },

  "production runs on capacity that is not taken away": (graph) => {
    if (graph.app.stage !== "production") return [];
    const used = (
      service(graph)["capacityProviderStrategies"] as { capacityProvider: string; weight: number }[]
    ).filter(({ weight }) => weight > 0);
    return unless(
      used.every(({ capacityProvider }) => capacityProvider === "FARGATE"),
      "it runs on spot",
    );
  },
};
