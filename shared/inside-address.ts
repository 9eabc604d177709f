import ipaddr from "ipaddr.js";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

/** 2000::/3: the only IPv6 addresses of the public internet (IANA, IPv6 Global Unicast Address Assignments). */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];
/** Azure answers the virtual machine itself here (Microsoft, "What is IP address 168.63.129.16?"); it looks public. */
const CLOUD_PLATFORM = "168.63.129.16";

/**
 * Whether an address must not be reached for somebody who only gave us a URL: this machine, its networks, a cloud's
 * metadata, and every special range (IANA special-purpose registries, as ipaddr.js knows them) with the prefixes that
 * carry an IPv4 address: mapped, NAT64, 6to4, Teredo. What is no address is inside.
 * @param own the addresses of this machine: a firewall before it does not stand between us and ourselves
 */
export function isInsideAddress(address: string, own: readonly string[] = ownAddresses()): boolean {
  if (!isIP(address)) return true;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== "unicast") return true;
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(GLOBAL_UNICAST)) return true;
  return [CLOUD_PLATFORM, ...own].some((one) => ipaddr.process(one).toString() === parsed.toString());
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((interfaces) => (interfaces ?? []).map(({ address }) => address));
}
