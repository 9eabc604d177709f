import { ofType } from "./graph.ts";
import type { Graph, Resource } from "./graph.ts";

const INTRODUCTION = `# What a deploy of the stage \`production\` makes

Made from the graph that \`sst.config.ts\` gives with SST's real components; nothing here was deployed. Listed is what costs
money, holds data or can be reached; roles, routes and the like are only counted.`;

const of = (resource: Resource, ...names: string[]) =>
  names.map((name) => resource.inputs[name]).filter((value) => value !== undefined && value !== null);

/** What is worth saying of a resource of a type. */
const TELLING: Record<string, (resource: Resource) => string> = {
  "aws:lambda/function:Function": (resource) =>
    `${of(resource, "runtime").join()}, ${of(resource, "memorySize").join()} MB, ${of(resource, "timeout").join()} s, at most ${of(resource, "reservedConcurrentExecutions").join()} at once`,
  "aws:sqs/queue:Queue": ({ inputs }) => (inputs["fifoQueue"] ? "FIFO" : "standard"),
  "aws:s3/bucket:Bucket": () => "private, encrypted",
  "aws:rds/instance:Instance": (resource) =>
    `${of(resource, "engine", "engineVersion", "instanceClass").join(" ")}, ${of(resource, "allocatedStorage").join()} to ${of(resource, "maxAllocatedStorage").join()} GB${resource.inputs["multiAz"] ? ", two zones" : ""}`,
  "aws:ecs/service:Service": (resource) => `${of(resource, "desiredCount").join()} tasks at first`,
  "aws:appautoscaling/target:Target": (resource) => `${of(resource, "minCapacity", "maxCapacity").join(" to ")} tasks`,
  "aws:ecs/taskDefinition:TaskDefinition": (resource) =>
    `${of(resource, "cpu").join()} CPU units, ${of(resource, "memory").join()} MB`,
  "aws:ec2/instance:Instance": (resource) => `NAT, ${of(resource, "instanceType").join()}`,
  "aws:ec2/eip:Eip": () => "address of a NAT instance",
  "aws:ec2/vpcEndpoint:VpcEndpoint": () => "S3 without NAT",
  "aws:cloudfront/distribution:Distribution": () => "what clients reach",
  "aws:lambda/functionUrl:FunctionUrl": () => "behind CloudFront; the API checks every caller itself",
  "aws:scheduler/scheduleGroup:ScheduleGroup": () => "scheduled messages",
  "aws:scheduler/schedule:Schedule": (resource) => of(resource, "scheduleExpression").join(),
  "aws:lambda/eventSourceMapping:EventSourceMapping": (resource) =>
    `${of(resource, "batchSize").join()} messages a call`,
  "aws:cloudwatch/metricAlarm:MetricAlarm": (resource) => {
    const { metricName, comparisonOperator, threshold, evaluationPeriods } = resource.inputs;
    return `${metricName} ${comparisonOperator === "LessThanThreshold" ? "<" : ">"} ${threshold}, ${evaluationPeriods} min`;
  },
  "aws:cloudwatch/dashboard:Dashboard": () => "",
  "aws:sns/topic:Topic": () => "where alarms go",
  "aws:ssm/parameter:Parameter": (resource) => of(resource, "type").join(),
};

/** What `docs/resources.md` must be. */
export function resourcesPage(graph: Graph): string {
  const told = Object.entries(TELLING).flatMap(([type, tell]) =>
    ofType(graph, type)
      .toSorted((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }))
      .map((resource) => `| ${type.split(":").at(-1)} | ${resource.name} | ${tell(resource)} |`),
  );
  const others = graph.resources.filter(({ type, custom }) => custom && !(type in TELLING) && type.startsWith("aws:"));
  const counts = new Map<string, number>();
  for (const { type } of others) counts.set(type, (counts.get(type) ?? 0) + 1);
  const counted = [...counts].map(([type, count]) => `${count} × ${type.split(":").at(-1)}`).toSorted();
  const table = ["| kind | name | |", "|---|---|---|", ...told].join("\n");
  return `${INTRODUCTION}\n\n${table}\n\nBesides: ${counted.join(", ")}.\n`;
}
