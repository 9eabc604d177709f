import { expect, it } from "vitest";
import type { StackOptions } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { FLEET_ENVIRONMENT, linkFleet } from "./support/fleet.ts";
import { holders } from "./support/holder.ts";
import { CLEAN, Judge } from "./support/judge.ts";
import { startLaterHost } from "./support/later-host.ts";
import { freshStack } from "./support/stack.ts";
import { Traffic } from "./support/traffic.ts";

const FLEET = { devices: 6, friends: 3, groups: 1 };
const PATIENCE_MS = 90_000;

it(
  "a host of a later version joins, takes over, and goes again under traffic: nothing is lost and nothing doubled",
  { timeout: 300_000 },
  async () => {
    let environment: Parameters<NonNullable<StackOptions["hostEnvironment"]>>[1] = {};
    const stack = await freshStack({
      environment: FLEET_ENVIRONMENT,
      hostEnvironment: async (_number, its) => (environment = its),
    });
    const fleet = await linkFleet(stack, FLEET);
    const devices = fleet.devices.map(({ deviceId }) => deviceId);
    const held = async () => new Set((await holders(stack, devices)).filter((host) => host !== undefined));
    const ofStack = environment["HOST_ID"] ?? "";
    const traffic = new Traffic(fleet, { perSecond: 4 });
    const judge = new Judge(fleet);
    judge.watch();
    traffic.start();

    const later = await startLaterHost(environment);
    await eventually("both versions hold devices", PATIENCE_MS, async () => (await held()).size === 2);
    // The supervisor starts it again: the old version comes back, as in a deploy that is taken back.
    stack.kill("socket-host-1", "SIGTERM");
    await eventually("the old version has gone", PATIENCE_MS, async () => !(await held()).has(ofStack));
    await eventually("both hold devices again", PATIENCE_MS, async () => (await held()).has(ofStack));
    expect(await later.stop()).toBe(0);
    const isAlone = async () => (await held()).has(ofStack) && (await held()).size === 1;
    await eventually("the old version holds what the later one wrote", PATIENCE_MS, isAlone);

    await traffic.stop();
    const { counts, ...faults } = await judge.verdict(traffic, PATIENCE_MS);
    process.stdout.write(`a later version, and back: ${JSON.stringify(counts)}\n`);
    expect(faults).toEqual(CLEAN);
  },
);
