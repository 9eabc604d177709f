import { parseArgs } from "node:util";
import { disturbHosts } from "../support/disturb-hosts.ts";
import { DISTURBANCES } from "../support/disturbances.ts";
import { disturbedHosts } from "../support/disturbed-hosts.ts";
import { duplicateDeliveries } from "../support/duplicate-deliveries.ts";
import { linkFleet } from "../support/fleet.ts";
import { Judge } from "../support/judge.ts";
import { Traffic } from "../support/traffic.ts";
import { soakStack } from "./soak-stack.ts";

/**
 * `npm run soak:partition [-- --seconds N --only NAME --keep]`: every disturbance for a minute, with leases of the usual
 * length and every queue message delivered twice.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    only: { type: "string", default: "" },
    keep: { type: "boolean", default: false },
  },
});

const hosts = disturbedHosts();
await soakStack({ hosts: 2, hostEnvironment: hosts.hostEnvironment, keep: values.keep }, async (stack, say) => {
  const fleet = await linkFleet(stack, { devices: 20, friends: 8, groups: 4 });
  const queues = await duplicateDeliveries(stack);
  const traffic = new Traffic(fleet, { perSecond: 6, onAccepted: queues.again });
  const judge = new Judge(fleet);
  judge.watch();
  traffic.start();
  const disturbances = DISTURBANCES.filter(({ name }) => name.includes(values.only));
  await disturbHosts(stack, hosts, { disturbances, eachMs: Number(values.seconds) * 1_000, peaceMs: 20_000 }, say);
  await traffic.stop();
  queues.close();
  return await judge.verdict(traffic, 180_000);
});
await hosts.close();
process.exit();
