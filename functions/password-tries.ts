import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";
import * as attempts from "../shared/db/password-attempts.ts";
import type { Database } from "../shared/db/pool.ts";
import { ApiError } from "../shared/errors.ts";

/**
 * Wrong passwords that are let through within a quarter of an hour: of one person from one place, and from one place for
 * anybody. There is no limit for a person from everywhere: with it a stranger could lock that person out.
 */
const WINDOW_SECONDS = 15 * 60;
const MAX_PER_PERSON_AND_PLACE = 10;
const MAX_PER_PLACE = 100;
/** What one customer of a provider has of IPv6 at least. */
const IPV6_PREFIX_BITS = 64;

/**
 * Runs `check`, unless too many passwords were tried: then it throws `too_many_requests`, whatever the password is. A
 * right one (`check` gives something) is not counted.
 * @param person the user name as it was typed, or a user's id
 */
export async function passwordTries<T>(
  database: Database,
  person: string,
  address: string | null,
  check: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const place = placeOf(address);
  const everybody = subject("place", place);
  await count(database, everybody, MAX_PER_PLACE);
  const one = subject("person", place, person.toLowerCase());
  await count(database, one, MAX_PER_PERSON_AND_PLACE);
  const passed = await check();
  if (passed !== undefined) {
    await attempts.forget(database, one);
    await attempts.takeBack(database, everybody);
  }
  return passed;
}

async function count(database: Database, who: Buffer, most: number): Promise<void> {
  const counted = await attempts.count(database, who, WINDOW_SECONDS);
  if (counted.attempts > most) throw new ApiError("too_many_requests", undefined, counted.endsInSeconds);
}

const subject = (...parts: string[]) => createHash("sha256").update(JSON.stringify(parts)).digest();

function placeOf(address: string | null): string {
  if (address === null) return "unknown";
  if (ipaddr.IPv4.isValid(address)) return address;
  return ipaddr.IPv6.networkAddressFromCIDR(`${address}/${IPV6_PREFIX_BITS}`).toString();
}
