import { ofType } from "../graph.ts";
import type { Graph } from "../graph.ts";
import { unless } from "./rule.ts";
import type { Rule } from "./rule.ts";

type Alarm = { metricName: string; dimensions?: Record<string, string>; alarmActions?: string[] };
const alarms = (graph: Graph) =>
  ofType(graph, "aws:cloudwatch/metricAlarm:MetricAlarm").map(({ name, inputs }) => ({ ...(inputs as Alarm), name }));

export const monitoringRules: Record<string, Rule> = {
  "every alarm tells somebody": (graph) =>
    alarms(graph).flatMap(({ name, alarmActions }) => unless(Boolean(alarmActions?.length), name)),

  "every dead-letter queue is watched for messages, every other for old ones": (graph) =>
    ofType(graph, "aws:sqs/queue:Queue").flatMap(({ name, inputs }) => {
      const metric = name.endsWith("DeadQueue")
        ? "ApproximateNumberOfMessagesVisible"
        : "ApproximateAgeOfOldestMessage";
      const isWatched = alarms(graph).some(
        (alarm) => alarm.metricName === metric && alarm.dimensions?.["QueueName"] === inputs["name"],
      );
      return unless(isWatched, name);
    }),

  "every function is watched for failures, the API also for answers of 500 and more": (graph) => [
    ...ofType(graph, "aws:lambda/function:Function").flatMap(({ name, inputs }) =>
      unless(
        alarms(graph).some(
          (alarm) => alarm.metricName === "Errors" && alarm.dimensions?.["FunctionName"] === inputs["name"],
        ),
        name,
      ),
    ),
    ...unless(
      alarms(graph).some(({ metricName }) => metricName === "Url5xxCount"),
      "the API's answers",
    ),
  ],

  "the database is watched for connections, room and processor": (graph) =>
    graph.liveFunctions.length > 0
      ? []
      : ["DatabaseConnections", "FreeStorageSpace", "CPUUtilization"].flatMap((metric) =>
          unless(
            alarms(graph).some(
              ({ metricName, dimensions }) => metricName === metric && dimensions?.["DBInstanceIdentifier"],
            ),
            metric,
          ),
        ),

  "there is a page that shows it": (graph) =>
    unless(ofType(graph, "aws:cloudwatch/dashboard:Dashboard").length === 1, "there is none"),

  "everything can be found in the bill": (graph) => {
    const { aws } = graph.app.providers as { aws: { defaultTags?: { tags: Record<string, string> } } };
    const tags = aws.defaultTags?.tags ?? {};
    return unless(Boolean(tags["application"]) && tags["stage"] === graph.app.stage, JSON.stringify(tags));
  },
};
