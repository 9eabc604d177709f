import { ofType, one } from "../graph.ts";
import type { Graph } from "../graph.ts";
import { unless } from "./rule.ts";
import type { Rule } from "./rule.ts";

/** Lambda quotas: 4 KB of variables, 15 minutes. */
const MAX_VARIABLES_BYTES = 4096;
const MAX_SECONDS = 900;
/** CloudFront waits so long for the API at most, without a raised quota. */
const MAX_ORIGIN_SECONDS = 60;

type Inputs = Record<string, never> & { environment: { variables: Record<string, string> }; timeout: number };
const functions = (graph: Graph) =>
  ofType(graph, "aws:lambda/function:Function").map(({ name, inputs }) => ({ name, inputs: inputs as Inputs }));

export const functionRules: Record<string, Rule> = {
  "every function stays inside Lambda's limits": (graph) =>
    functions(graph).flatMap(({ name, inputs }) => [
      ...unless(JSON.stringify(inputs.environment.variables).length < MAX_VARIABLES_BYTES, `${name}: variables`),
      ...unless(inputs.timeout <= MAX_SECONDS, `${name}: time-out`),
    ]),

  "every function runs on arm64, in the network, in the group that admits nobody": (graph) =>
    functions(graph).flatMap(({ name, inputs }) => {
      const { architectures, vpcConfig } = inputs as unknown as {
        architectures: string[];
        vpcConfig?: { securityGroupIds: string[]; subnetIds: string[] };
      };
      return [
        ...unless(architectures.join() === "arm64", `${name} runs on ${architectures.join()}`),
        ...unless(vpcConfig?.securityGroupIds.join() === "Callers-id", `${name} is not in the group`),
        ...unless(vpcConfig?.subnetIds.every((id) => id.includes("Private")) ?? false, `${name} is in a public subnet`),
      ];
    }),

  "every function has a reserved concurrency, the cap on its database connections": (graph) =>
    graph.liveFunctions.length > 0
      ? []
      : functions(graph).flatMap(({ name, inputs }) =>
          unless(Number(inputs["reservedConcurrentExecutions"]) > 0, `${name} has none`),
        ),

  "every function keeps its log for a limited time": (graph) =>
    ofType(graph, "aws:cloudwatch/logGroup:LogGroup").flatMap(({ name, inputs }) =>
      unless(Number(inputs["retentionInDays"]) > 0, name),
    ),

  "deliveries: a failed webhook comes again alone, and no message is seen twice or thrown at a function that is full": (
    graph,
  ) => {
    const deliver = functions(graph).find(({ name }) => name === "DeliverFunction")?.inputs;
    const queue = one(graph, "aws:sqs/queue:Queue", "DeliveriesQueue").inputs;
    const source = one(graph, "aws:lambda/eventSourceMapping:EventSourceMapping", "DeliverSource").inputs;
    const most = Number(source["scalingConfig"]?.maximumConcurrency);
    return [
      ...unless(String(source["functionResponseTypes"]) === "ReportBatchItemFailures", "all of a batch come again"),
      ...unless(
        Number(queue["visibilityTimeoutSeconds"]) >= Number(deliver?.timeout),
        "its message comes back too soon",
      ),
      ...unless(
        graph.liveFunctions.length > 0 || most <= Number(deliver?.["reservedConcurrentExecutions"]),
        `${most} at once are more than are reserved`,
      ),
    ];
  },

  "the sweep runs each minute, one at a time, and ends before the next": (graph) => {
    const sweep = functions(graph).find(({ name }) => name === "SweepFunction")?.inputs;
    const timer = one(graph, "aws:scheduler/schedule:Schedule", "SweepTimer").inputs;
    return [
      ...unless(timer["scheduleExpression"] === "rate(1 minute)" && timer["state"] !== "DISABLED", "it does not"),
      ...unless(Number(sweep?.timeout) < 60, `it may take ${sweep?.timeout} s`),
      ...unless(
        graph.liveFunctions.length > 0 || Number(sweep?.["reservedConcurrentExecutions"]) === 1,
        "two run at once",
      ),
    ];
  },

  "the API gives up waiting before Lambda ends it, and Lambda before CloudFront does": (graph) => {
    const api = functions(graph).find(({ name }) => name === "ApiFunction");
    const waitSeconds = Number(api?.inputs.environment.variables["SYNC_WAIT_MS"]) / 1000;
    const limit = api?.inputs.timeout ?? 0;
    return unless(waitSeconds + 10 < limit && limit < MAX_ORIGIN_SECONDS, `${waitSeconds} s, ${limit} s`);
  },
};
