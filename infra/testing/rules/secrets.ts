import { ofType } from "../graph.ts";
import { container } from "./socket-host.ts";
import { unless } from "./rule.ts";
import type { Rule } from "./rule.ts";

/** Where a value can be read by people who may only look: consoles, build logs, the state of a stack. */
const READABLE = [
  "aws:ecs/taskDefinition:TaskDefinition",
  "aws:lambda/function:Function",
  "aws:lambda/invocation:Invocation",
  "docker-build:index:Image",
  "aws:cloudwatch/dashboard:Dashboard",
  "aws:scheduler/schedule:Schedule",
];

/** @param values the secrets with which the graph was made */
export const secretRules = (values: readonly string[]): Record<string, Rule> => ({
  "no secret can be read in a task definition, a function's variables or the build of an image": (graph) =>
    READABLE.flatMap((type) => ofType(graph, type)).flatMap(({ name, inputs }) =>
      unless(!values.some((value) => JSON.stringify(inputs).includes(value)), name),
    ),

  "the container gets its secrets by reference to encrypted parameters": (graph) => {
    if (graph.liveFunctions.length > 0) return [];
    const parameters = ofType(graph, "aws:ssm/parameter:Parameter");
    const names = container(graph)
      .secrets.map(({ name }) => name)
      .toSorted()
      .join();
    return [
      ...unless(names === "DB_PASSWORD,STATE_ENCRYPTION_KEY", `it gets ${names}`),
      ...parameters.flatMap(({ name, inputs }) =>
        unless(inputs["type"] === "SecureString", `${name} is not encrypted`),
      ),
    ];
  },
});
