import { answerIq } from "../answers/answer-iq.ts";
import type { Connection } from "../wire/connection.ts";
import { isGroupJid } from "../wire/jid.ts";
import { attribute, child, children, node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import { takeCall } from "./calls.ts";
import type { LinkedDevice } from "./linked-device.ts";
import type { Network } from "./network.ts";
import { routeMessage } from "./route-message.ts";
import { routeChatState, takePresence } from "./route-presence.ts";
import { routeReceipt } from "./route-receipt.ts";

/** Receipts after which the server need not bring a message again. `read` and `played` come later, `retry` too early. */
const SETTLING_RECEIPTS = new Set([undefined, "inactive", "sender", "peer_msg"]);

/** The server's side of one logged-in connection. Its handlers throw `Malformed` on stanzas that make no sense. */
export class DeviceSession {
  readonly #network: Network;
  readonly #connection: Connection;
  readonly #device: LinkedDevice;

  constructor(network: Network, connection: Connection, device: LinkedDevice) {
    this.#network = network;
    this.#connection = connection;
    this.#device = device;
  }

  receive(stanza: BinaryNode): void | Promise<void> {
    const { account, device } = this.#device;
    if (account.devices.get(device) !== this.#device) return;
    if (stanza.tag === "iq") return answerIq(this.#network, this.#device, stanza);
    if (stanza.tag === "message") this.#takeMessage(stanza);
    else if (stanza.tag === "receipt") this.#takeReceipt(stanza);
    else if (stanza.tag === "ack") this.#takeAck(stanza);
    else if (stanza.tag === "call") takeCall(this.#network, this.#device, stanza);
    else if (stanza.tag === "presence") takePresence(this.#network, this.#device, stanza);
    else if (stanza.tag === "chatstate") {
      routeChatState(this.#network, this.#device, stanza.attrs["to"], children(stanza));
    }
  }

  closed(): void {
    this.#device.detach(this.#connection);
  }

  #takeMessage(stanza: BinaryNode): void {
    const { number: phone } = this.#device.account;
    const to = attribute(stanza, "to");
    const place = { phone, device: this.#device.device, ...(isGroupJid(to) && { group: to }) };
    const { faults } = this.#network;
    const ack = { class: "message", id: attribute(stanza, "id"), from: to, t: nowSeconds() };
    const fault = faults.take("ack-error", place);
    const refusal = fault ? fault.code : routeMessage(this.#network, this.#device, stanza);
    if (refusal !== undefined) {
      this.#connection.send(node("ack", { ...ack, error: String(refusal) }));
      return;
    }
    if (faults.take("no-ack", place)) return;
    const slow = faults.take("slow", place);
    if (slow) this.#network.clock.after(slow.delayMs, () => this.#connection.send(node("ack", ack)));
    else this.#connection.send(node("ack", ack));
  }

  #takeReceipt(stanza: BinaryNode): void {
    const id = attribute(stanza, "id");
    const { type, to } = stanza.attrs;
    this.#connection.send(node("ack", { class: "receipt", id, from: to, type }));
    if (SETTLING_RECEIPTS.has(type)) {
      const items = children(child(stanza, "list"), "item").map((item) => attribute(item, "id"));
      for (const each of [id, ...items]) this.#device.settle("message", each);
    }
    routeReceipt(this.#network, this.#device, stanza);
  }

  /** Of a receipt, of a notification, or (with an error) of a message that the client cannot use. */
  #takeAck(stanza: BinaryNode): void {
    this.#device.settle(attribute(stanza, "class"), attribute(stanza, "id"), stanza.attrs["type"]);
  }
}
