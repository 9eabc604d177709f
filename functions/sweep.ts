/** Finds what was lost between two steps, and ends what has expired: a Lambda function that is invoked each minute. */
import { loadSweepConfig } from "../shared/config.ts";
import { readFleet } from "../shared/db/fleet.ts";
import { openSweepServices } from "./sweep/open-services.ts";
import { sweepAll } from "./sweep/sweep-all.ts";

const { services } = openSweepServices(loadSweepConfig());

/** Throws when a part failed, so that an alarm counts it; the others were done, and the next minute brings all again. */
export async function handler(): Promise<void> {
  const failed = await sweepAll(services);
  // infra/log-metrics.ts makes metrics of this line.
  services.log.info(await readFleet(services.database), "fleet");
  if (failed.length) throw new Error(`parts of the sweep failed: ${failed.join(", ")}`);
}
