import { parseArgs } from "node:util";
import { linkFleet } from "../support/fleet.ts";
import { Judge } from "../support/judge.ts";
import { killHosts } from "../support/kill-hosts.ts";
import { Traffic } from "../support/traffic.ts";
import { soakStack } from "./soak-stack.ts";

/**
 * `npm run soak:kill [-- --kills N --hosts N --devices N --rate N --overload --keep]`: the test of the same name, 200
 * kills of 3 hosts if not given otherwise. `--overload`: 200 messages a second if no rate is given, by a client that
 * takes a refusal for an answer.
 */
const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    hosts: { type: "string", default: "3" },
    devices: { type: "string", default: "20" },
    rate: { type: "string" },
    overload: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
const { overload: isOverload, keep } = values;
const perSecond = Number(values.rate ?? (isOverload ? 200 : 10));

await soakStack({ hosts: Number(values.hosts), keep }, async (stack, say) => {
  const fleet = await linkFleet(stack, { devices: Number(values.devices), friends: 8, groups: 4 });
  say("linked");
  const traffic = new Traffic(fleet, { perSecond, isPatient: !isOverload });
  const judge = new Judge(fleet);
  judge.watch();
  traffic.start();
  await killHosts(stack, Number(values.kills), (count) => {
    if (count % 10 === 0) say(`${count} kills, ${traffic.sent.length} sent, ${traffic.written.length} written`);
  });
  await traffic.stop();
  say("the last answer");
  return await judge.verdict(traffic, 180_000);
});
process.exit();
