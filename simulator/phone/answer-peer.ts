import { proto } from "@whiskeysockets/baileys";
import type { Account } from "../network/account.ts";
import type { Network } from "../network/network.ts";
import { isGroupJid, parseJid } from "../wire/jid.ts";
import { findChat } from "./chat.ts";
import { historyMessage, historyOnDemand, webMessage } from "./history-sync.ts";
import type { History } from "./history.ts";
import type { PeerRequest } from "./receiver.ts";

const { PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE } = proto.Message.ProtocolMessage.Type;
const MAX_MESSAGES = 500;
/** Times below this are in seconds: Baileys' callers pass a message's timestamp on, whatever the field is called. */
const FIRST_MILLISECONDS = 1e11;

/**
 * What a phone answers to its own device (Baileys Socket/messages-recv.js, `fetchMessageHistory` and
 * `requestPlaceholderResend`): an earlier part of a chat, or messages that the device did not get. `undefined` for all other
 * requests, and if there is nothing to tell.
 */
export async function answerPeer(
  network: Network,
  owner: Account,
  history: History,
  { id, request }: PeerRequest,
): Promise<proto.IMessage | undefined> {
  const { historySyncOnDemandRequest: wanted, placeholderMessageResendRequest: missing = [] } = request;
  if (wanted) {
    const jid = wanted.chatJid ?? "";
    const name = isGroupJid(jid) ? jid : network.find(jid)?.number;
    const chat =
      name === undefined ? undefined : findChat(network, name, parseJid(jid)?.server === "lid" ? "lid" : "pn");
    if (name === undefined || !chat) return undefined;
    const time = Number(wanted.oldestMsgTimestampMs ?? 0);
    const messages = history.before(name, {
      id: wanted.oldestMsgId ?? "",
      at: time < FIRST_MILLISECONDS ? time : time / 1_000,
      count: Math.min(MAX_MESSAGES, Math.max(0, wanted.onDemandMsgCount ?? 0)),
    });
    return historyMessage(network, owner, historyOnDemand(network, owner, { chat, messages }), id);
  }
  const results = (missing ?? []).slice(0, MAX_MESSAGES).flatMap(({ messageKey }) => {
    const known = history.get(messageKey?.id ?? "");
    const chat = known && findChat(network, known.chat);
    if (!chat) return [];
    const webMessageInfoBytes = proto.WebMessageInfo.encode(webMessage(network, owner, chat, known)).finish();
    return [{ placeholderMessageResendResponse: { webMessageInfoBytes } }];
  });
  if (results.length === 0) return undefined;
  const { peerDataOperationRequestType } = request;
  const response = { stanzaId: id, peerDataOperationResult: results, peerDataOperationRequestType };
  const type = PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE;
  return { protocolMessage: { type, peerDataOperationRequestResponseMessage: response as object } };
}
