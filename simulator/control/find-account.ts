import type { Context } from "hono";
import type { Account } from "../network/account.ts";
import type { Network } from "../network/network.ts";
import { ControlError } from "./errors.ts";

/** The account with this number, or throws a 404. */
export function findAccount(network: Network, number: string): Account {
  const account = network.account(number);
  if (!account) throw new ControlError(404, "phone_unknown", `there is no phone ${number}: POST /phones creates one`);
  return account;
}

/** The account that `:phone` in the path names, with or without a plus, or throws a 404. */
export function accountInPath(network: Network, context: Context): Account {
  return findAccount(network, (context.req.param("phone") ?? "").replace(/^\+/, ""));
}
