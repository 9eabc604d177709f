import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startStack } from "../../local/stack.ts";
import { linkFleet } from "../support/fleet.ts";
import { Judge } from "../support/judge.ts";
import { killHosts } from "../support/kill-hosts.ts";
import { Traffic } from "../support/traffic.ts";

/**
 * `npm run soak:kill [-- --kills N --hosts N --devices N --rate N --keep]`: the test of the same name, 200 kills of 3
 * hosts if not given otherwise. Ends with code 1 when something was lost, doubled or left behind. `--keep` leaves the data
 * and the logs, and says where.
 */
const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    hosts: { type: "string", default: "3" },
    devices: { type: "string", default: "20" },
    rate: { type: "string", default: "10" },
    keep: { type: "boolean", default: false },
  },
});
const kills = Number(values.kills);
const begin = Date.now();
const say = (line: string) => process.stdout.write(`${Math.round((Date.now() - begin) / 1000)} s: ${line}\n`);

const dataDir = await mkdtemp(join(tmpdir(), "gateway-kill-"));
const environment = { WA_RESTORE_STAGGER_MS: "50" };
const stack = await startStack({ dataDir, simulator: true, port: 0, hosts: Number(values.hosts), environment });
try {
  const fleet = await linkFleet(stack, { devices: Number(values.devices), friends: 8, groups: 4 });
  say("linked");
  const traffic = new Traffic(fleet, { perSecond: Number(values.rate) });
  const judge = new Judge(fleet);
  judge.watch();
  traffic.start();
  await killHosts(stack, kills, (count) => {
    if (count % 10 === 0) say(`${count} kills, ${traffic.sent.length} sent, ${traffic.written.length} written`);
  });
  say("the last kill");
  await traffic.stop();
  say("the last answer");
  const { counts, ...faults } = await judge.verdict(traffic, 180_000);
  say(JSON.stringify(counts));
  for (const [name, list] of Object.entries(faults)) say(`${name}: ${list.length} ${list.slice(0, 5).join("; ")}`);
  process.exitCode = Object.values(faults).every((list) => list.length === 0) ? 0 : 1;
} finally {
  await stack.dispose();
  if (values.keep) say(`kept in ${dataDir}`);
  else await rm(dataDir, { recursive: true, force: true });
}
process.exit();
