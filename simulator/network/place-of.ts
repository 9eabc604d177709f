import type { Account } from "./account.ts";
import type { Place } from "./faults.ts";
import type { Network } from "./network.ts";

/** Where something happens that is about a device (0: the phone) as a whole, and therefore in all groups of its owner. */
export function placeOf(network: Network, { number }: Account, device: number): Place {
  const isIn = (group: string) => network.groups.find(group)?.members.has(number) === true;
  return { phone: number, device, isIn };
}
