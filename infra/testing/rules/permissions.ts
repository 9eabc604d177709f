import { allowances, ofType, one } from "../graph.ts";
import type { Graph, Resource, Statement } from "../graph.ts";
import { unless } from "./rule.ts";
import type { Rule } from "./rule.ts";

const ROLE = "aws:iam/role:Role";
/** What a role may have by name: writing its own log, sitting in the network, fetching the image, being a NAT machine. */
const MANAGED = new Set([
  "service-role/AWSLambdaBasicExecutionRole",
  "service-role/AWSLambdaVPCAccessExecutionRole",
  "service-role/AmazonECSTaskExecutionRolePolicy",
  "AmazonSSMManagedInstanceCore",
]);

const eachStatement = (graph: Graph, check: (role: Resource, statement: Statement) => string[]) =>
  ofType(graph, ROLE).flatMap((role) => allowances(graph, role).flatMap((statement) => check(role, statement)));

/** Actions of a role on the command queues, or on that of deliveries, in order. */
const actionsOn = (graph: Graph, role: string, queues: "commands" | "deliveries") =>
  allowances(graph, one(graph, ROLE, role))
    .filter(({ Resource = [] }) => Resource.some((arn) => arn.includes("Deliveries")) === (queues === "deliveries"))
    .flatMap((statement) => statement.Action ?? [])
    .filter((action) => action.startsWith("sqs:"))
    .toSorted()
    .join();

export const permissionRules: Record<string, Rule> = {
  "no role has a wildcard action, or one on every resource": (graph) =>
    eachStatement(graph, (role, { Action = [], NotAction, Resource = [] }) => [
      ...unless(!NotAction && Action.every((action) => !action.includes("*")), `${role.name}: ${Action.join()}`),
      ...unless(
        Resource.every((arn) => arn !== "*"),
        `${role.name}: ${Action.join()} on everything`,
      ),
    ]),

  "a wildcard in a resource stands for the objects of a bucket or the schedules of our group only": (graph) =>
    eachStatement(graph, (role, { Resource = [] }) =>
      Resource.filter((arn) => arn.includes("*")).flatMap((arn) =>
        unless(
          /^arn:aws:s3:::[a-z0-9.-]+\/(\w+\/)?\*$/.test(arn) || /^arn:aws:scheduler:.+:schedule\/[\w-]+\/\*$/.test(arn),
          `${role.name}: ${arn}`,
        ),
      ),
    ),

  "no role has a policy of AWS's that it does not need": (graph) =>
    ofType(graph, ROLE).flatMap((role) =>
      ((role.inputs["managedPolicyArns"] ?? []) as string[])
        .map((arn) => arn.replace(/^arn:aws:iam::aws:policy\//, ""))
        .flatMap((policy) => unless(MANAGED.has(policy), `${role.name}: ${policy}`)),
    ),

  "a role can be worn by its own AWS service only": (graph) =>
    ofType(graph, ROLE).flatMap((role) => {
      const trust = role.inputs["assumeRolePolicy"] as unknown;
      const text = typeof trust === "string" ? trust : JSON.stringify(trust);
      return unless(!text.includes('"AWS"') && !text.includes('"Principal":"*"'), `${role.name}: ${text}`);
    }),

  "nobody but the socket host touches device state": (graph) => {
    const bucket = String(one(graph, "aws:s3/bucket:Bucket", "StateBucket").inputs["bucket"]);
    return eachStatement(graph, (role, { Resource = [] }) =>
      unless(role.name === "SocketHostTaskRole" || !Resource.some((arn) => arn.includes(bucket)), role.name),
    );
  },

  "the API sends commands, the socket host takes them, neither does the other's": (graph) => [
    ...unless(actionsOn(graph, "ApiRole", "commands") === "sqs:GetQueueAttributes,sqs:SendMessage", "ApiRole"),
    ...unless(
      actionsOn(graph, "SocketHostTaskRole", "commands") ===
        "sqs:ChangeMessageVisibility,sqs:DeleteMessage,sqs:GetQueueAttributes,sqs:ReceiveMessage",
      "SocketHostTaskRole",
    ),
  ],

  "whoever writes events may wake who delivers them": (graph) =>
    ["ApiRole", "SocketHostTaskRole", "SweepRole"].flatMap((role) =>
      unless(actionsOn(graph, role, "deliveries") === "sqs:GetQueueAttributes,sqs:SendMessage", role),
    ),

  "only the deliverer takes deliveries, and it may wake itself": (graph) => [
    ...unless(
      actionsOn(graph, "DeliverRole", "deliveries") ===
        "sqs:DeleteMessage,sqs:GetQueueAttributes,sqs:GetQueueAttributes,sqs:ReceiveMessage,sqs:SendMessage",
      "DeliverRole",
    ),
    ...["DeliverRole", "SweepRole"].flatMap((role) =>
      unless(actionsOn(graph, role, "commands") === "sqs:GetQueueAttributes,sqs:SendMessage", role),
    ),
  ],

  "the timer of the sweep may start it and nothing else": (graph) => {
    const statements = allowances(graph, one(graph, ROLE, "SweepTimerRole"));
    const sweep = String(one(graph, "aws:lambda/function:Function", "SweepFunction").inputs["name"]);
    return statements.flatMap(({ Action = [], Resource = [] }) =>
      unless(
        Action.join() === "lambda:InvokeFunction" &&
          Resource.length === 1 &&
          Boolean(Resource[0]?.endsWith(`:${sweep}`)),
        `${Action.join()} on ${Resource.join()}`,
      ),
    );
  },

  "the API hands the scheduler its role and no other": (graph) =>
    eachStatement(graph, (role, { Action = [], Resource = [], Condition }) => {
      if (!Action.includes("iam:PassRole")) return [];
      const to = Condition?.["StringEquals"]?.["iam:PassedToService"]?.join();
      return unless(to === "scheduler.amazonaws.com" && Resource.length === 1, `${role.name}: ${Resource.join()}`);
    }),
};
