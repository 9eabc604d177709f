import { ofType } from "../graph.ts";
import type { Graph } from "../graph.ts";
import { unless } from "./rule.ts";
import type { Rule } from "./rule.ts";

type Alarm = {
  metricName: string;
  dimensions?: Record<string, string>;
  alarmActions?: string[];
  treatMissingData?: string;
};
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

  "a sweep that has stopped is noticed": (graph) =>
    unless(
      alarms(graph).some(
        ({ name, metricName, treatMissingData }) =>
          name === "SweepStopped" && metricName === "Invocations" && treatMissingData === "breaching",
      ),
      "it is not",
    ),

  "shards without a host and devices without an answer are noticed, from numbers that the sweep logs": (graph) => {
    if (graph.liveFunctions.length > 0) return [];
    const made = ofType(graph, "aws:cloudwatch/logMetricFilter:LogMetricFilter").map(({ inputs }) => ({
      logGroup: String(inputs["logGroupName"]),
      ...(inputs["metricTransformation"] as { namespace: string; name: string; value: string }),
    }));
    return ["LeasesUnheld", "DevicesDegraded"].flatMap((name) => {
      const watched = ofType(graph, "aws:cloudwatch/metricAlarm:MetricAlarm").find((alarm) => alarm.name === name);
      const source = made.find(
        (metric) => metric.name === watched?.inputs["metricName"] && metric.namespace === watched?.inputs["namespace"],
      );
      return [
        ...unless(Boolean(source?.logGroup.includes("Sweep")), `${name}: nobody makes its metric`),
        ...unless(source?.value === `$.${source?.name}`, `${name}: ${source?.value}`),
      ];
    });
  },

  "how long events take to their webhooks is measured, from what the deliverer logs": (graph) =>
    graph.liveFunctions.length > 0
      ? []
      : unless(
          ofType(graph, "aws:cloudwatch/logMetricFilter:LogMetricFilter").some(
            ({ inputs }) =>
              String(inputs["logGroupName"]).includes("Deliver") &&
              (inputs["metricTransformation"] as { value: string }).value === "$.sinceEventMs",
          ),
          "it is not",
        ),

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
