import type { Stack } from "../../local/stack.ts";
import { Gateway, Phone } from "./gateway.ts";

export type FleetDevice = { deviceId: string; owner: Phone };
/** `devices` and `friends` are in the group; the first friend made it. */
export type FleetGroup = { id: string; devices: FleetDevice[]; friends: Phone[] };
export type Fleet = {
  stack: Stack;
  gateway: Gateway;
  devices: FleetDevice[];
  friends: Phone[];
  groups: FleetGroup[];
};

/** Logins in quick succession, and a client that asks as often as it likes. */
export const FLEET_ENVIRONMENT = { WA_RESTORE_STAGGER_MS: "50", RATE_LIMIT_PER_MINUTE: "0" };

const LINKS_AT_ONCE = 4;

/** Links so many devices, and makes people for them to write to and groups of four devices and two people. */
export async function linkFleet(
  stack: Stack,
  counts: { devices: number; friends: number; groups: number },
): Promise<Fleet> {
  const gateway = new Gateway(stack);
  const friends = await Promise.all(numbers(counts.friends).map((n) => Phone.create(stack, phoneNumber(9_000 + n))));
  const devices: FleetDevice[] = [];
  const waiting = numbers(counts.devices);
  const linkNext = async () => {
    for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
      const device = { deviceId: `fleet-${n}`, owner: await Phone.create(stack, phoneNumber(n)) };
      await gateway.link(device.deviceId, device.owner);
      devices.push(device);
    }
  };
  await Promise.all(numbers(LINKS_AT_ONCE).map(linkNext));
  const groups: FleetGroup[] = [];
  for (const n of numbers(counts.groups)) {
    const members = numbers(4).flatMap((at) => devices[(n * 4 + at) % devices.length] ?? []);
    const people = numbers(2).flatMap((at) => friends[(n * 2 + at) % friends.length] ?? []);
    const [creator, ...others] = people;
    if (!creator) throw new Error("a group needs people");
    const id = await creator.createGroup(`Group ${n}`, [...others, ...members.map((member) => member.owner)]);
    groups.push({ id, devices: members, friends: people });
  }
  return { stack, gateway, devices, friends, groups };
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const phoneNumber = (n: number) => `62811${String(n).padStart(8, "0")}`;
