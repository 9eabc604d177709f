import { afterAll, expect, it } from "vitest";
import { disturbHosts } from "./support/disturb-hosts.ts";
import { DISTURBANCES } from "./support/disturbances.ts";
import { disturbedHosts } from "./support/disturbed-hosts.ts";
import { duplicateDeliveries } from "./support/duplicate-deliveries.ts";
import { FLEET_ENVIRONMENT, linkFleet } from "./support/fleet.ts";
import { CLEAN, Judge } from "./support/judge.ts";
import { freshStack } from "./support/stack.ts";
import { Traffic } from "./support/traffic.ts";

const LEASE_MS = 6_000;
/** Longer than a lease; `npm run soak:partition` gives each a minute, and has more of them. */
const EACH_MS = 9_000;
const CHOSEN = [
  "frozen, then awake again",
  "MySQL silent",
  "S3 silent",
  "cut off from SQS",
  "MySQL dies and comes back",
];

it(
  "frozen, cut off or doubly delivered to, hosts lose and double nothing, and no device has two sockets for long",
  { timeout: 600_000 },
  async () => {
    const hosts = disturbedHosts();
    afterAll(() => hosts.close());
    const environment = FLEET_ENVIRONMENT;
    const { hostEnvironment } = hosts;
    const stack = await freshStack({ hosts: 2, leaseDurationMs: LEASE_MS, environment, hostEnvironment });
    const fleet = await linkFleet(stack, { devices: 8, friends: 4, groups: 2 });
    const queues = await duplicateDeliveries(stack);
    afterAll(() => queues.close());
    const traffic = new Traffic(fleet, { perSecond: 6, onAccepted: queues.again });
    const judge = new Judge(fleet);
    judge.watch();
    traffic.start();
    const disturbances = DISTURBANCES.filter(({ name }) => CHOSEN.includes(name));
    await disturbHosts(stack, hosts, { disturbances, eachMs: EACH_MS, peaceMs: 3_000 });
    await traffic.stop();
    const { counts, ...faults } = await judge.verdict(traffic, 90_000);
    process.stdout.write(`${JSON.stringify(counts)}\n`);
    expect(faults).toEqual(CLEAN);
    expect(counts.longestOverlapMs).toBeLessThan(5_000);
  },
);
