import "../quiet.ts";
import { decryptPollVote, normalizeMessageContent, proto } from "@whiskeysockets/baileys";
import { createHash } from "node:crypto";
import { LID_SERVER, USER_SERVER } from "../../../shared/jid.ts";
import type { Addresses } from "../../../shared/message.ts";
import type { AddressBook } from "../address-book.ts";
import type { IncomingMessage } from "./incoming-message.ts";
import { pollOf } from "./message-content.ts";

/**
 * A vote with what it is for. It names its options by their hashes, encrypted with the secret of the poll and the
 * addresses of poll's maker and voter (lib/Utils/process-message.js, decryptPollVote): those that their chat uses, which
 * the vote does not say, so both are tried. Every other message, and a vote that cannot be read, stays as it is.
 *
 * @param poll the message that made the poll, encoded
 */
export function withVote(message: IncomingMessage, poll: Uint8Array, book: AddressBook): IncomingMessage {
  const { content, sender } = message;
  if (content.messageType !== "poll_vote") return message;
  const made = proto.Message.decode(poll);
  const options = (pollOf(normalizeMessageContent(made) ?? {})?.options ?? []).map(
    ({ optionName }) => optionName ?? "",
  );
  const pollEncKey = made.messageContextInfo?.messageSecret;
  const vote = proto.Message.decode(message.bytes()).pollUpdateMessage?.vote;
  if (!pollEncKey || !vote) return message;
  for (const pollCreatorJid of namesOf(book.addressesOf(content.target.sender))) {
    for (const voterJid of namesOf(sender)) {
      const about = { pollCreatorJid, voterJid, pollMsgId: content.target.messageId, pollEncKey };
      const chosen = decrypted(vote, about);
      if (chosen)
        return {
          ...message,
          content: { ...content, selectedOptions: options.filter((one) => chosen.has(hashOf(one))) },
        };
    }
  }
  return message;
}

/** The hashes of the chosen options; undefined when it was encrypted otherwise. */
function decrypted(
  vote: proto.Message.IPollEncValue,
  about: Parameters<typeof decryptPollVote>[1],
): Set<string> | undefined {
  try {
    return new Set(
      (decryptPollVote(vote, about).selectedOptions ?? []).map((hash) => Buffer.from(hash).toString("hex")),
    );
  } catch {
    return undefined;
  }
}

const namesOf = ({ phone, lid }: Addresses) => [
  ...(lid ? [`${lid}@${LID_SERVER}`] : []),
  ...(phone ? [`${phone}@${USER_SERVER}`] : []),
];

const hashOf = (option: string) => createHash("sha256").update(option).digest("hex");
