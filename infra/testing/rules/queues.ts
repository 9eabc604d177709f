import { ofType, one } from "../graph.ts";
import type { Graph, Resource } from "../graph.ts";
import { unless } from "./rule.ts";
import type { Rule } from "./rule.ts";

const QUEUE = "aws:sqs/queue:Queue";
const DAYS_14_SECONDS = 1_209_600;
/** SQS API reference, CreateQueue. */
const MAX_NAME_LENGTH = 80;

const isDead = (queue: Resource) => queue.name.endsWith("DeadQueue");
const queueName = (queue: Resource) => String(queue.inputs["name"]);
const isSame = (some: (string | undefined)[], others: string[]) =>
  new Set(some).size === others.length && others.every((name) => some.includes(name));
const nameOfArn = (arn: string) => arn.split(":").at(-1);

function deadLettersOf(graph: Graph, queue: Resource): Resource | undefined {
  const policy = queue.inputs["redrivePolicy"] as string | undefined;
  if (!policy) return undefined;
  const { deadLetterTargetArn } = JSON.parse(policy) as { deadLetterTargetArn: string };
  return ofType(graph, QUEUE).find((other) => queueName(other) === nameOfArn(deadLetterTargetArn));
}

const eachQueue = (graph: Graph, check: (queue: Resource) => string[]) => ofType(graph, QUEUE).flatMap(check);
const eachWorkQueue = (graph: Graph, check: (queue: Resource) => string[]) =>
  eachQueue(graph, (queue) => (isDead(queue) ? [] : check(queue)));

export const queueRules: Record<string, Rule> = {
  "there is one command queue for each of the 16 shards": (graph) =>
    Array.from({ length: 16 }, (_, shard) => one(graph, QUEUE, `Commands${shard}Queue`)).flatMap((queue) =>
      unless(queue.inputs["fifoQueue"] === true, `${queue.name} is not FIFO`),
    ),

  "every queue has a dead-letter queue": (graph) =>
    eachWorkQueue(graph, (queue) => unless(deadLettersOf(graph, queue) !== undefined, `${queue.name} has none`)),

  "a dead-letter queue is of the kind of its queue and keeps messages 14 days": (graph) =>
    eachWorkQueue(graph, (queue) => {
      const dead = deadLettersOf(graph, queue);
      if (!dead) return [];
      const isSameKind = Boolean(dead.inputs["fifoQueue"]) === Boolean(queue.inputs["fifoQueue"]);
      const isKept = dead.inputs["messageRetentionSeconds"] === DAYS_14_SECONDS;
      return [
        ...unless(isSameKind, `${queue.name}: ${dead.name} is of another kind`),
        ...unless(isKept, `${dead.name} forgets too soon`),
      ];
    }),

  "FIFO queues take their deduplication id from the content, by group, at high throughput": (graph) =>
    eachWorkQueue(graph, ({ name, inputs }) => {
      if (!inputs["fifoQueue"]) return [];
      const isHigh =
        inputs["deduplicationScope"] === "messageGroup" && inputs["fifoThroughputLimit"] === "perMessageGroupId";
      return [
        ...unless(inputs["contentBasedDeduplication"] === true, `${name} has no content-based deduplication`),
        ...unless(isHigh, `${name} is limited to 300 messages a second`),
      ];
    }),

  "every queue is encrypted and its name is short enough": (graph) =>
    eachQueue(graph, (queue) => [
      ...unless(queue.inputs["sqsManagedSseEnabled"] === true, `${queue.name} is not encrypted`),
      ...unless(queueName(queue).length <= MAX_NAME_LENGTH, `${queue.name} has too long a name`),
    ]),

  "the scheduler's role can be worn by our schedules only, and sends only to the command queues": (graph) => {
    const role = one(graph, "aws:iam/role:Role", "SchedulerRole");
    const [trust] = (JSON.parse(role.inputs["assumeRolePolicy"]) as { Statement: { Condition?: unknown }[] }).Statement;
    const group = String(one(graph, "aws:scheduler/scheduleGroup:ScheduleGroup", "ScheduledMessages").inputs["name"]);
    const policy = one(graph, "aws:iam/rolePolicy:RolePolicy", "SchedulerRolePolicy").inputs["policy"] as string;
    const { Statement } = JSON.parse(policy) as { Statement: { Action: string[]; Resource: string[] }[] };
    const targets = Statement.flatMap((statement) => statement.Resource.map(nameOfArn));
    const wanted = ofType(graph, QUEUE).filter(({ name }) => /^(Commands\d+|SchedulesDead)Queue$/.test(name));
    const condition = JSON.stringify(trust?.Condition ?? {});
    return [
      ...unless(
        condition.includes(`schedule-group/${group}`) && condition.includes("aws:SourceAccount"),
        "trusts others",
      ),
      ...unless(
        Statement.every(({ Action }) => Action.join() === "sqs:SendMessage"),
        "may do more than send",
      ),
      ...unless(isSame(targets, wanted.map(queueName)), "reaches other queues"),
    ];
  },
};
