import { expect, it } from "vitest";
import { FLEET_ENVIRONMENT, linkFleet } from "./support/fleet.ts";
import { CLEAN, Judge } from "./support/judge.ts";
import { killHosts } from "./support/kill-hosts.ts";
import { freshStack } from "./support/stack.ts";
import { Traffic } from "./support/traffic.ts";

const FLEET = { devices: 20, friends: 8, groups: 4 };
const KILLS = 15;

it(
  "over kill -9 of hosts at random moments nothing is lost, doubled or unreadable, and no device needs a QR",
  { timeout: 600_000 },
  async () => {
    const stack = await freshStack({ hosts: 2, environment: FLEET_ENVIRONMENT });
    const fleet = await linkFleet(stack, FLEET);
    const traffic = new Traffic(fleet, { perSecond: 10 });
    const judge = new Judge(fleet);
    judge.watch();
    traffic.start();
    await killHosts(stack, KILLS);
    await traffic.stop();
    const { counts, ...faults } = await judge.verdict(traffic, 90_000);
    process.stdout.write(`${KILLS} kills: ${JSON.stringify(counts)}\n`);
    expect(faults).toEqual(CLEAN);
  },
);
