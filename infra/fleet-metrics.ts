import { prefix } from "./stage.js";
import { sweep } from "./sweep.js";

/** Where metrics of our own are: each stage has its own namespace. */
export const namespace = prefix;

/** The numbers of the line that the sweep writes each minute (shared/db/fleet.ts), each as a metric. */
const NAMES = ["hosts", "unheldShards", "wantedDevices", "connectedDevices", "degradedDevices"] as const;
export type FleetMetric = (typeof NAMES)[number];

const logGroupName = sweep.nodes.logGroup.apply((group) => group?.name ?? $util.output(""));
// `sst dev` has no log group: the function runs on the developer's machine.
if (!$dev) {
  for (const name of NAMES) {
    new aws.cloudwatch.LogMetricFilter(`Fleet${name}`, {
      logGroupName,
      pattern: '{ $.msg = "fleet" }',
      metricTransformation: { namespace, name, value: `$.${name}` },
    });
  }
}
