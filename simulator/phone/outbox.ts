import { randomBytes } from "node:crypto";
import type { proto } from "@whiskeysockets/baileys";
import { endpointsOf } from "../groups/tell-members.ts";
import type { Group } from "../groups/group.ts";
import type { Endpoint } from "../network/endpoint.ts";
import type { Network } from "../network/network.ts";
import { routeMessage } from "../network/route-message.ts";
import { isGroupJid, lidJid, pnJid } from "../wire/jid.ts";
import { child, node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import { chatJid, chatName, findChat, personJid, type Chat } from "./chat.ts";
import type { PhoneCipher, Sealed } from "./cipher.ts";
import type { Composed } from "./compose.ts";
import type { KnownMessages } from "./known-messages.ts";
import { breathe } from "./serial.ts";

/** Devices that have the phone's current sender key, by group. */
export type OutboxRecord = { keyHolders: [group: string, devices: string[]][] };

/** As often as Baileys answers retry receipts (`maxMsgRetryCount` in Defaults/index.js). */
const MAX_RETRIES = 5;

/** What a phone sends: encrypted for every device of the others and for the person's own. */
export class Outbox {
  readonly #network: Network;
  readonly #phone: Endpoint;
  readonly #cipher: PhoneCipher;
  readonly #known: KnownMessages;
  readonly #keyHolders: Map<string, Set<string>>;

  constructor(
    network: Network,
    phone: Endpoint,
    { cipher, known, record }: { cipher: PhoneCipher; known: KnownMessages; record?: OutboxRecord | undefined },
  ) {
    this.#network = network;
    this.#phone = phone;
    this.#cipher = cipher;
    this.#known = known;
    this.#keyHolders = new Map(record?.keyHolders.map(([group, devices]) => [group, new Set(devices)]));
  }

  /** Sends a message under this id, which may have been used before. */
  async send(id: string, chat: Chat, { message, type, edit }: Composed): Promise<void> {
    const { account } = this.#phone;
    const copies =
      chat.kind === "group" ? await this.#sealForGroup(chat.group, message) : await this.#seal(chat, message);
    this.#known.add({ id, author: account.number, chat: chatName(chat), at: Number(nowSeconds()), message });
    this.#network.changed(account);
    const addressing = chat.kind === "group" ? { addressing_mode: chat.group.addressing } : {};
    routeMessage(
      this.#network,
      this.#phone,
      node("message", { id, to: chatJid(chat), type, edit, ...addressing }, copies),
    );
  }

  /** Tells a linked device of the same person something that no person sees. */
  async sendPeer(device: Endpoint, message: proto.IMessage): Promise<void> {
    const enc = toEnc(await this.#cipher.encrypt(device, message));
    const id = randomBytes(16).toString("hex").toUpperCase();
    const to = pnJid(device.account.number, device.device);
    routeMessage(this.#network, this.#phone, node("message", { id, to, type: "text", category: "peer" }, [enc]));
  }

  /** A device could not read a message of this phone: once more, to it alone, in a new session, with the same id. */
  async sendAgain(receipt: BinaryNode): Promise<void> {
    const { id = "", from = "", participant } = receipt.attrs;
    const target = this.#network.endpoint(participant ?? from);
    const known = this.#known.get(id);
    const count = Number(child(receipt, "retry")?.attrs["count"] ?? 1);
    if (!target || known?.author !== this.#phone.account.number || count > MAX_RETRIES) return;
    const chat = findChat(this.#network, known.chat);
    if (!chat || (chat.kind === "group") !== isGroupJid(from)) return;
    const message = chat.kind === "group" ? await this.#withSenderKey(chat.group, known.message) : known.message;
    const isOwn = target.account === this.#phone.account;
    const content = isOwn ? { deviceSentMessage: { destinationJid: chatJid(chat), message } } : message;
    const enc = toEnc(await this.#cipher.encrypt(target, content, { isFresh: true }), count);
    const address =
      chat.kind === "group"
        ? { to: from, participant: personJid(chat, target.account, target.device) }
        : { to: from, recipient: isOwn ? chatJid(chat) : undefined };
    routeMessage(this.#network, this.#phone, node("message", { id, type: "text", ...address }, [enc]));
  }

  /** Somebody has left the group: they must not be able to read what comes now. */
  renewSenderKey(group: string): void {
    if (this.#keyHolders.delete(group)) this.#cipher.dropSenderKey(this.#phone, group);
  }

  /** The device does not exist any more. */
  forget(device: Endpoint): void {
    for (const [group, holders] of this.#keyHolders) if (holders.has(addressOf(device))) this.renewSenderKey(group);
  }

  toRecord(): OutboxRecord {
    return { keyHolders: [...this.#keyHolders].map(([group, holders]) => [group, [...holders]]) };
  }

  async #seal(chat: Chat & { kind: "person" }, message: proto.IMessage): Promise<BinaryNode[]> {
    const { account } = this.#phone;
    const ownCopy = { deviceSentMessage: { destinationJid: chatJid(chat), message } };
    const peers = chat.with === account ? [] : chat.with.endpoints();
    const copies: BinaryNode[] = [];
    for (const target of [...peers, ...account.devices.values()]) {
      const enc = toEnc(await this.#cipher.encrypt(target, target.account === account ? ownCopy : message));
      copies.push(node("to", { jid: personJid(chat, target.account, target.device) }, [enc]));
    }
    return [node("participants", {}, copies)];
  }

  /** One ciphertext for all, and the key to it for those who have not got it yet. */
  async #sealForGroup(group: Group, message: proto.IMessage): Promise<BinaryNode[]> {
    const { ciphertext, senderKey } = await this.#cipher.encryptForGroup(this.#phone, group.id, message);
    const holders = this.#keyHolders.get(group.id) ?? new Set();
    this.#keyHolders.set(group.id, holders);
    const copies: BinaryNode[] = [];
    for (const target of endpointsOf(this.#network, group)) {
      if (target === this.#phone || holders.has(addressOf(target))) continue;
      const enc = toEnc(await this.#cipher.encrypt(target, distribution(group, senderKey)));
      copies.push(node("to", { jid: group.jidOf(target.account, target.device) }, [enc]));
      holders.add(addressOf(target));
      await breathe();
    }
    const keys = copies.length > 0 ? [node("participants", {}, copies)] : [];
    return [...keys, node("enc", { v: "2", type: "skmsg" }, ciphertext)];
  }

  async #withSenderKey(group: Group, message: proto.IMessage): Promise<proto.IMessage> {
    return { ...message, ...distribution(group, await this.#cipher.senderKey(this.#phone, group.id)) };
  }
}

function distribution({ id: groupId }: Group, axolotlSenderKeyDistributionMessage: Uint8Array): proto.IMessage {
  return { senderKeyDistributionMessage: { groupId, axolotlSenderKeyDistributionMessage } };
}

function addressOf({ account, device }: Endpoint): string {
  return lidJid(account.lid, device);
}

function toEnc({ type, ciphertext }: Sealed, retryCount?: number): BinaryNode {
  const count = retryCount === undefined ? undefined : String(retryCount);
  return node("enc", { v: "2", type, count }, ciphertext);
}
