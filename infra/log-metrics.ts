import { deliver } from "./deliver.js";
import { prefix } from "./stage.js";
import { sweep } from "./sweep.js";

/** Where metrics of our own are: each stage has its own namespace. */
export const namespace = prefix;

/** The numbers of the line that the sweep writes each minute (shared/db/fleet.ts), each as a metric. */
const NAMES = ["hosts", "unheldShards", "wantedDevices", "connectedDevices", "degradedDevices"] as const;
export type FleetMetric = (typeof NAMES)[number];

/** From an event to its arrival at a webhook or chatbot that took it at the first try; the deliverer logs each. */
export const DELIVERY_DELAY = "deliveryDelayMs";

const logGroupOf = ({ nodes }: sst.aws.Function) => nodes.logGroup.apply((group) => group?.name ?? $util.output(""));
// `sst dev` has no log group: the function runs on the developer's machine.
if (!$dev) {
  const logGroupName = logGroupOf(sweep);
  for (const name of NAMES) {
    new aws.cloudwatch.LogMetricFilter(`Fleet${name}`, {
      logGroupName,
      pattern: '{ $.msg = "fleet" }',
      metricTransformation: { namespace, name, value: `$.${name}` },
    });
  }
  new aws.cloudwatch.LogMetricFilter("DeliveryDelay", {
    logGroupName: logGroupOf(deliver),
    pattern: '{ ($.msg = "event posted") && ($.tries = 1) && ($.status >= 200) && ($.status < 300) }',
    metricTransformation: { namespace, name: DELIVERY_DELAY, value: "$.sinceEventMs", unit: "Milliseconds" },
  });
}
