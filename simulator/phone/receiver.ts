import { normalizeMessageContent, type proto } from "@whiskeysockets/baileys";
import type { Endpoint } from "../network/endpoint.ts";
import type { Network } from "../network/network.ts";
import { routeReceipt } from "../network/route-receipt.ts";
import { isGroupJid, lidJid, parseJid, pnJid } from "../wire/jid.ts";
import { bigEndian, children, node, type BinaryNode } from "../wire/node.ts";
import type { PhoneCipher } from "./cipher.ts";
import { readContent, type Content } from "./content.ts";
import type { Inbox } from "./inbox.ts";
import type { KnownMessages } from "./known-messages.ts";
import { mediaOf } from "./media-part.ts";
import { receiveMedia } from "./received-media.ts";
import { decryptVote } from "./votes.ts";

/** As often as Baileys asks (`maxMsgRetryCount` in Defaults/index.js). */
const MAX_RETRIES = 5;
const MAX_REMEMBERED_RETRIES = 1_000;

/** What a linked device of the same person asks its phone for, and under which id. */
export type PeerRequest = {
  device: Endpoint;
  id: string;
  request: proto.Message.IPeerDataOperationRequestMessage;
};

/** What arrives at a phone: decrypted, put into the inbox, or asked for again. */
export class Receiver {
  readonly #network: Network;
  readonly #phone: Endpoint;
  readonly #cipher: PhoneCipher;
  readonly #known: KnownMessages;
  readonly #inbox: Inbox;
  readonly #retries = new Map<string, number>();

  constructor(
    network: Network,
    phone: Endpoint,
    { cipher, known, inbox }: { cipher: PhoneCipher; known: KnownMessages; inbox: Inbox },
  ) {
    this.#network = network;
    this.#phone = phone;
    this.#cipher = cipher;
    this.#known = known;
    this.#inbox = inbox;
  }

  /** Answers a request of the person's own device, if the message is one. `receipts` are those to send by itself. */
  async receive(stanza: BinaryNode, receipts: ("delivered" | "read")[]): Promise<PeerRequest | undefined> {
    const { id = "", from = "", participant, category, t } = stanza.attrs;
    const sender = this.#network.endpoint(participant ?? from);
    if (!sender) return undefined;
    const decrypted = await this.#decrypt(sender, stanza);
    if (!decrypted) {
      this.#askAgain(sender, stanza);
      return undefined;
    }
    this.#retries.delete(id);
    const isOwn = sender.account === this.#phone.account;
    if (category === "peer") {
      const asked = (decrypted.deviceSentMessage?.message ?? decrypted).protocolMessage;
      const request = isOwn ? asked?.peerDataOperationRequestMessage : undefined;
      return request ? { device: sender, id, request } : undefined;
    }
    const isGroup = isGroupJid(from);
    const inner = decrypted.deviceSentMessage?.message;
    const message = isOwn ? (inner ?? (isGroup ? decrypted : undefined)) : decrypted;
    const content = message && readContent(message);
    if (content) {
      const author = sender.account.number;
      const ownChat = isOwn ? this.#nameOf(decrypted.deviceSentMessage?.destinationJid) : author;
      const chat = isGroup ? from : ownChat;
      this.#known.add({ id, author, chat, at: Number(t), message });
      const details = await this.#details(message, content, sender);
      this.#inbox.add({ id, chat, from: author, fromMe: isOwn, ...content, ...details, timestamp: Number(t) });
    }
    if (isOwn) return undefined;
    for (const type of receipts) {
      const attributes = { id, to: from, participant, type: type === "read" ? type : undefined };
      routeReceipt(this.#network, this.#phone, node("receipt", attributes));
    }
    return undefined;
  }

  /** What is only known after a download, or with the help of other messages. */
  async #details(message: proto.IMessage, { mentions }: Content, sender: Endpoint) {
    const whole = normalizeMessageContent(message) ?? {};
    const media = mediaOf(whole);
    const options = whole.pollUpdateMessage && this.#optionsOf(whole.pollUpdateMessage, sender);
    return {
      ...(mentions && { mentions: mentions.map((jid) => this.#nameOf(jid)) }),
      ...(media && { media: await receiveMedia(this.#network.media, media) }),
      ...(options && { options }),
    };
  }

  /** What a vote is for. Clients differ in which addresses they put into its key, so all are tried. */
  #optionsOf(
    { pollCreationMessageKey, vote }: proto.Message.IPollUpdateMessage,
    voter: Endpoint,
  ): string[] | undefined {
    const pollId = pollCreationMessageKey?.id ?? "";
    const poll = this.#known.get(pollId);
    const creator = poll && this.#network.account(poll.author);
    if (!poll || !creator || !vote) return undefined;
    for (const creatorJid of [pnJid(creator.number), lidJid(creator.lid)]) {
      for (const voterJid of [pnJid(voter.account.number), lidJid(voter.account.lid)]) {
        const options = decryptVote({ pollId, poll: poll.message, creatorJid, voterJid }, vote);
        if (options) return options;
      }
    }
    return undefined;
  }

  /** A person's number, even if nobody has it; a group's id. */
  #nameOf(jid: string | null | undefined): string {
    return this.#network.find(jid ?? "")?.number ?? parseJid(jid ?? "")?.user ?? "";
  }

  /** All parts of a message together: in a group the sender key may come along with what it is the key to. */
  async #decrypt(sender: Endpoint, stanza: BinaryNode): Promise<proto.IMessage | undefined> {
    const group = stanza.attrs["from"] ?? "";
    let whole: proto.IMessage | undefined;
    try {
      for (const { attrs, content } of children(stanza, "enc")) {
        if (!(content instanceof Uint8Array)) return undefined;
        const type = attrs["type"];
        const ciphertext = Buffer.from(content);
        if (type === "skmsg") {
          whole = { ...whole, ...(await this.#cipher.decryptFromGroup(sender, group, ciphertext)) };
        } else if (type === "msg" || type === "pkmsg") {
          const part = await this.#cipher.decrypt(sender, { type, ciphertext });
          const key = (part.deviceSentMessage?.message ?? part).senderKeyDistributionMessage;
          if (key?.groupId && key.groupId === group) await this.#cipher.takeSenderKey(sender, key);
          whole = { ...whole, ...part };
        }
      }
      return whole;
    } catch {
      return undefined;
    }
  }

  /** Asks the sending device to send a message again, unless another copy of it could be read. */
  #askAgain(sender: Endpoint, { attrs }: BinaryNode): void {
    const { id = "", from, participant, recipient, t } = attrs;
    this.#network.stats.undecryptable++;
    if (this.#known.get(id)?.author === sender.account.number) return;
    const count = (this.#retries.get(id) ?? 0) + 1;
    if (count > MAX_RETRIES) return;
    this.#retries.set(id, count);
    const [oldest] = this.#retries.keys();
    if (this.#retries.size > MAX_REMEMBERED_RETRIES && oldest !== undefined) this.#retries.delete(oldest);
    const request = node("receipt", { id, to: from, participant, type: "retry", recipient }, [
      node("retry", { count: String(count), id, t, v: "1" }),
      node("registration", {}, bigEndian(this.#cipher.registrationId, 4)),
    ]);
    routeReceipt(this.#network, this.#phone, request);
  }
}
