import type { Account } from "../network/account.ts";
import { announce } from "../network/announce.ts";
import type { Network } from "../network/network.ts";
import type { NewChatCap, Restriction } from "../network/profile.ts";
import { node, nowSeconds, SERVER } from "../wire/node.ts";
import type { Answer, Query } from "./answer-iq.ts";

/** Baileys Types/Mex.js, `QueryIds`. */
const REACHOUT_TIMELOCK = "23983697327930364";
const MESSAGE_CAPPING_INFO = "24503548349331633";

/**
 * GraphQL queries: what the account may still do (Baileys Socket/socket.js, `fetchAccountReachoutTimelock` and
 * `fetchNewChatMessageCap`); all others are understood, and there is nothing to tell.
 */
export function answerMex({ device, request }: Query): Answer {
  const { restriction, newChats } = device.account.profile;
  const { query_id } = request?.attrs ?? {};
  if (query_id === REACHOUT_TIMELOCK) return result({ xwa2_fetch_account_reachout_timelock: describe(restriction) });
  if (query_id === MESSAGE_CAPPING_INFO) return result({ xwa2_message_capping_info: describeCap(newChats) });
  return result({});
}

/** From now on the account may not start chats, or may again; its devices are told (Socket/messages-recv.js, `handleMexNotification`). */
export function restrict(network: Network, account: Account, restriction: Restriction | undefined): void {
  account.profile.restriction = restriction;
  const data = { xwa2_notify_account_reachout_timelock: describe(restriction) };
  tell(network, account, "NotificationUserReachoutTimelockUpdate", data);
}

/** From now on the account may start so many chats. */
export function capNewChats(network: Network, account: Account, newChats: NewChatCap | undefined): void {
  account.profile.newChats = newChats;
  const data = { xwa2_notify_new_chat_messages_capping_info_update: describeCap(newChats) };
  tell(network, account, "MessageCappingInfoNotification", data);
}

function tell(network: Network, account: Account, op_name: string, data: object): void {
  const content = [node("update", { op_name }, Buffer.from(JSON.stringify({ data })))];
  announce(network, account, { type: "mex", from: SERVER, content });
}

function result(data: object): Answer {
  return [node("result", {}, Buffer.from(JSON.stringify({ data })))];
}

function describe(restriction: Restriction | undefined) {
  return {
    is_active: restriction !== undefined,
    time_enforcement_ends: String(restriction?.until ?? 0),
    enforcement_type: restriction?.type ?? "DEFAULT",
  };
}

function describeCap(cap: NewChatCap | undefined) {
  return {
    ...(cap && { total_quota: cap.quota, used_quota: cap.used }),
    ...(cap?.cycleStart !== undefined && { cycle_start_timestamp: String(cap.cycleStart) }),
    ...(cap?.cycleEnd !== undefined && { cycle_end_timestamp: String(cap.cycleEnd) }),
    server_sent_timestamp: nowSeconds(),
    ote_status: "NOT_ELIGIBLE",
    mv_status: "NOT_ELIGIBLE",
    capping_status: cap?.status ?? "NONE",
  };
}
