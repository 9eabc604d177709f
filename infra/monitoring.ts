import { api } from "./api.js";
import { commandQueues } from "./queues.js";
import { DELIVERY_DELAY, namespace } from "./log-metrics.js";
import type { FleetMetric } from "./log-metrics.js";
import { prefix } from "./stage.js";

/** One page in CloudWatch with what is looked at first. */
type Metric = (string | Record<string, string>)[];

function graph(title: string, region: string, metrics: Metric[], stat: string) {
  return { type: "metric", width: 12, height: 6, properties: { title, region, metrics, stat, period: 60 } };
}

new aws.cloudwatch.Dashboard("Overview", {
  dashboardName: prefix,
  dashboardBody: $util
    .all([aws.getRegionOutput().region, api.name, $util.all(commandQueues.map((queue) => queue.nodes.queue.name))])
    .apply(([region, apiName, queueNames]) => {
      const ofApi = (name: string): Metric => ["AWS/Lambda", name, "FunctionName", apiName];
      const ofQueues = (name: string) => queueNames.map((queue): Metric => ["AWS/SQS", name, "QueueName", queue]);
      const ofFleet = (name: FleetMetric): Metric => [namespace, name];
      const devices = (["wantedDevices", "connectedDevices", "degradedDevices"] as const).map(ofFleet);
      return JSON.stringify({
        widgets: [
          graph("Requests, errors", region, ["UrlRequestCount", "Url4xxCount", "Url5xxCount"].map(ofApi), "Sum"),
          graph("Time to answer (ms)", region, [ofApi("UrlRequestLatency")], "p95"),
          graph("Devices", region, devices, "Maximum"),
          graph("Hosts, shards without one", region, (["hosts", "unheldShards"] as const).map(ofFleet), "Maximum"),
          graph("Commands waiting (s)", region, ofQueues("ApproximateAgeOfOldestMessage"), "Maximum"),
          graph("From an event to its webhook (ms)", region, [[namespace, DELIVERY_DELAY]], "p95"),
          graph("Commands taken", region, ofQueues("NumberOfMessagesDeleted"), "Sum"),
        ],
      });
    }),
});
