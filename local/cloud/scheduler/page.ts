import { checkInteger } from "./constraints.ts";
import { validation } from "./errors.ts";

/** API reference, ListSchedules and ListScheduleGroups. */
const LARGEST_PAGE = 100;

/** The part of a list that a request asks for. */
export type Page = { after: string; size: number };

export function parsePage(query: ReadonlyMap<string, string>): Page {
  const size = query.get("MaxResults");
  const token = query.get("NextToken");
  if (size !== undefined && !/^-?\d{1,9}$/.test(size)) throw validation("maxResults must be an integer.");
  return {
    size: size === undefined ? LARGEST_PAGE : checkInteger(Number(size), "maxResults", 1, LARGEST_PAGE),
    after: token === undefined ? "" : parseToken(token),
  };
}

/** `found` holds up to one more than the page has room for; `keyOf` gives what the next page begins after. */
export function cutPage<T>(found: readonly T[], { size }: Page, keyOf: (item: T) => string) {
  const items = found.slice(0, size);
  const last = items.at(-1);
  if (found.length <= size || last === undefined) return { items, token: {} };
  return { items, token: { NextToken: Buffer.from(keyOf(last)).toString("base64url") } };
}

function parseToken(token: string): string {
  const key = Buffer.from(token, "base64url").toString();
  if (!/^[0-9a-zA-Z-_./]{1,129}$/.test(key)) throw validation("Invalid NextToken.");
  return key;
}
