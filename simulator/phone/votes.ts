import { createHash, randomBytes } from "node:crypto";
import { aesEncryptGCM, decryptPollVote, hmacSign, normalizeMessageContent, proto } from "@whiskeysockets/baileys";

/** A poll, who made it and who votes; both by the addresses that their chat uses. */
export type Ballot = { pollId: string; poll: proto.IMessage; creatorJid: string; voterJid: string };

export function optionsOf(message: proto.IMessage): string[] | undefined {
  const content = normalizeMessageContent(message);
  const poll = content?.pollCreationMessage ?? content?.pollCreationMessageV2 ?? content?.pollCreationMessageV3;
  return poll?.options?.map(({ optionName }) => optionName ?? "");
}

/** A vote names its options by their hashes, encrypted with the poll's secret (Baileys Utils/process-message.js, `decryptPollVote`). */
export function encryptVote(ballot: Ballot, options: string[]): proto.Message.IPollEncValue | undefined {
  const { pollId, creatorJid, voterJid } = ballot;
  const secret = secretOf(ballot.poll);
  if (!secret) return undefined;
  const sign = Buffer.concat([Buffer.from(`${pollId}${creatorJid}${voterJid}Poll Vote`), Buffer.from([1])]);
  const key = hmacSign(sign, hmacSign(secret, Buffer.alloc(32)));
  const vote = proto.Message.PollVoteMessage.encode({ selectedOptions: options.map(hashOf) }).finish();
  const encIv = randomBytes(12);
  return { encPayload: aesEncryptGCM(vote, key, encIv, Buffer.from(`${pollId}\0${voterJid}`)), encIv };
}

/** The options that a vote is for; `undefined` if it cannot be read. */
export function decryptVote(ballot: Ballot, vote: proto.Message.IPollEncValue): string[] | undefined {
  const pollEncKey = secretOf(ballot.poll);
  if (!pollEncKey) return undefined;
  const { pollId: pollMsgId, creatorJid: pollCreatorJid, voterJid } = ballot;
  try {
    const { selectedOptions } = decryptPollVote(vote, { pollEncKey, pollMsgId, pollCreatorJid, voterJid });
    const chosen = new Set(selectedOptions.map((hash) => Buffer.from(hash).toString("hex")));
    return (optionsOf(ballot.poll) ?? []).filter((option) => chosen.has(hashOf(option).toString("hex")));
  } catch {
    return undefined;
  }
}

function secretOf(poll: proto.IMessage): Uint8Array | undefined {
  return poll.messageContextInfo?.messageSecret ?? undefined;
}

function hashOf(option: string): Buffer {
  return createHash("sha256").update(option).digest();
}
