import { api } from "./api.js";
import { database, MAX_CONNECTIONS } from "./database.js";
import { deliver } from "./deliver.js";
import { namespace } from "./log-metrics.js";
import type { FleetMetric } from "./log-metrics.js";
import { migrate } from "./migrate.js";
import { commandQueues, commandsDead, deliveries, deliveriesDead } from "./queues.js";
import { schedulesDead } from "./scheduler.js";
import { alarmEmail } from "./stage.js";
import { sweep } from "./sweep.js";

/** docs/operations.md says of each alarm what it means and what to do. */
export const topic = new sst.aws.SnsTopic("Alarms");
if (alarmEmail) {
  new aws.sns.TopicSubscription("AlarmEmail", { topic: topic.arn, protocol: "email", endpoint: alarmEmail });
}

type Watch = {
  namespace: string;
  metricName: string;
  dimensions?: Record<string, $util.Input<string>>;
  statistic: "Maximum" | "Sum" | "Average" | "Minimum";
  above?: number;
  below?: number;
  minutes: number;
  /** What silence means: nothing happens, or whoever reports is dead. */
  silence?: "notBreaching" | "breaching";
};

function alarm(name: string, watch: Watch) {
  const { above, below, minutes, silence = "notBreaching", ...metric } = watch;
  return new aws.cloudwatch.MetricAlarm(name, {
    ...metric,
    period: 60,
    evaluationPeriods: minutes,
    threshold: above ?? below ?? 0,
    comparisonOperator: above === undefined ? "LessThanThreshold" : "GreaterThanThreshold",
    treatMissingData: silence,
    alarmActions: [topic.arn],
    okActions: [topic.arn],
  });
}

const ofQueue = (queue: sst.aws.Queue) => ({
  namespace: "AWS/SQS",
  dimensions: { QueueName: queue.nodes.queue.name },
  statistic: "Maximum" as const,
});

for (const [name, queue] of Object.entries({
  CommandsDead: commandsDead,
  SchedulesDead: schedulesDead,
  DeliveriesDead: deliveriesDead,
})) {
  alarm(`${name}NotEmpty`, {
    ...ofQueue(queue),
    metricName: "ApproximateNumberOfMessagesVisible",
    above: 0,
    minutes: 1,
  });
}
for (const [shard, queue] of commandQueues.entries()) {
  alarm(`Commands${shard}Waiting`, {
    ...ofQueue(queue),
    metricName: "ApproximateAgeOfOldestMessage",
    above: 300,
    minutes: 5,
  });
}
alarm("DeliveriesWaiting", {
  ...ofQueue(deliveries),
  metricName: "ApproximateAgeOfOldestMessage",
  above: 300,
  minutes: 5,
});

for (const [name, fn] of Object.entries({ Api: api, Deliver: deliver, Migrate: migrate, Sweep: sweep })) {
  const ofFunction = { namespace: "AWS/Lambda", dimensions: { FunctionName: fn.name }, statistic: "Sum" as const };
  alarm(`${name}Failing`, { ...ofFunction, metricName: "Errors", above: 0, minutes: 1 });
  alarm(`${name}Throttled`, { ...ofFunction, metricName: "Throttles", above: 0, minutes: 5 });
}
// It is told to run each minute: silence means that nobody looks after what was lost.
alarm("SweepStopped", {
  namespace: "AWS/Lambda",
  metricName: "Invocations",
  dimensions: { FunctionName: sweep.name },
  statistic: "Sum",
  below: 1,
  minutes: 10,
  silence: "breaching",
});
alarm("ApiServerErrors", {
  namespace: "AWS/Lambda",
  metricName: "Url5xxCount",
  dimensions: { FunctionName: api.name },
  statistic: "Sum",
  above: 5,
  minutes: 5,
});

const ofFleet = (metricName: FleetMetric) => ({ namespace, metricName, statistic: "Maximum" as const });
alarm("LeasesUnheld", { ...ofFleet("unheldShards"), above: 0, minutes: 3 });
alarm("DevicesDegraded", { ...ofFleet("degradedDevices"), above: 0, minutes: 15 });

const instance = database.nodes.instance;
// In `sst dev` the database is on the developer's machine.
if (instance) {
  const ofDatabase = {
    namespace: "AWS/RDS",
    dimensions: { DBInstanceIdentifier: instance.identifier },
    minutes: 5,
  };
  alarm("DatabaseConnections", {
    ...ofDatabase,
    metricName: "DatabaseConnections",
    statistic: "Maximum",
    above: MAX_CONNECTIONS * 0.9,
  });
  alarm("DatabaseStorage", { ...ofDatabase, metricName: "FreeStorageSpace", statistic: "Minimum", below: 2 * 2 ** 30 });
  alarm("DatabaseProcessor", { ...ofDatabase, metricName: "CPUUtilization", statistic: "Average", above: 90 });
}
