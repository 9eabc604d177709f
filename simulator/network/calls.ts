import { randomBytes } from "node:crypto";
import { lidJid, pnJid } from "../wire/jid.ts";
import { child, node, nowSeconds, SERVER, type BinaryNode } from "../wire/node.ts";
import type { Account } from "./account.ts";
import type { LinkedDevice } from "./linked-device.ts";
import type { Network } from "./network.ts";

/** `missed`: nobody answered in time; `ended`: whoever called hung up before that, or one of both after it was accepted. */
export type CallState = "ringing" | "accepted" | "rejected" | "missed" | "ended";

export type Call = {
  id: string;
  /** Numbers. */
  from: string;
  to: string;
  isVideo: boolean;
  /** The id of the group that the call is for. */
  group?: string | undefined;
  state: CallState;
  /** Which device of the one who is called took or rejected it; 0 is the phone. */
  answeredBy?: number;
};

export type CallOrder = Pick<Call, "isVideo" | "group"> & { from: Account; to: Account; addressing: "lid" | "pn" };

/** How long a phone rings; the real time is not known. */
const RING_MS = 45_000;
/** Older calls are forgotten. */
const MAX_CALLS = 200;

type Ringing = { call: Call; order: CallOrder; stop: () => void };

/**
 * Calls as far as linked devices see them: they ring, and stop. Stanzas after Baileys Socket/messages-recv.js, `handleCall`,
 * and whatsmeow call.go; there are no voices. `accepted_elsewhere` and `rejected_elsewhere` are guesses.
 */
export class Calls {
  readonly #network: Network;
  readonly #calls = new Map<string, Ringing>();

  constructor(network: Network) {
    this.#network = network;
  }

  /** The calls that somebody made or got, the last 200 of all people, oldest first. */
  of({ number }: Account): Call[] {
    return [...this.#calls.values()].map(({ call }) => call).filter(({ from, to }) => from === number || to === number);
  }

  find(id: string): Call | undefined {
    return this.#calls.get(id)?.call;
  }

  /** Lets the other person's linked devices ring, until somebody answers, or nobody for too long. */
  ring(order: CallOrder): Call {
    const { from, to, isVideo, group } = order;
    const id = randomBytes(16).toString("hex").toUpperCase();
    const call: Call = { id, from: from.number, to: to.number, isVideo, group, state: "ringing" };
    const stop = this.#network.clock.after(RING_MS, () => this.end(id, "missed"));
    this.#calls.set(id, { call, order, stop });
    const [oldest] = this.#calls.values();
    if (this.#calls.size > MAX_CALLS && oldest) {
      oldest.stop();
      this.#calls.delete(oldest.call.id);
    }
    const media = [node("audio", { enc: "opus", rate: "16000" }), ...(isVideo ? [node("video", { enc: "vp8" })] : [])];
    const groupAttributes = group === undefined ? {} : { type: "group", "group-jid": group };
    const caller_pn = order.addressing === "lid" ? numberOf(from) : undefined;
    this.#tell(order, node("offer", { ...identify(order, id), ...groupAttributes, caller_pn }, media));
    return call;
  }

  /** Somebody takes the call or rejects it, on this device of theirs; their others stop to ring. False if none rings. */
  answer(id: string, state: "accepted" | "rejected", device: number): boolean {
    const ringing = this.#calls.get(id);
    if (ringing?.call.state !== "ringing") return false;
    ringing.stop();
    Object.assign(ringing.call, { state, answeredBy: device });
    this.#stopRinging(ringing, `${state}_elsewhere`, device);
    return true;
  }

  /** False if it is over already. */
  end(id: string, state: "missed" | "ended"): boolean {
    const ringing = this.#calls.get(id);
    const before = ringing?.call.state;
    if (!ringing || (before !== "ringing" && (before !== "accepted" || state === "missed"))) return false;
    ringing.stop();
    ringing.call.state = state;
    if (before === "ringing") this.#stopRinging(ringing, state === "missed" ? "timeout" : undefined);
    return true;
  }

  clear(): void {
    for (const { stop } of this.#calls.values()) stop();
    this.#calls.clear();
  }

  #stopRinging({ call, order }: Ringing, reason: string | undefined, besides?: number): void {
    this.#tell(order, node("terminate", { ...identify(order, call.id), reason }), besides);
  }

  #tell({ from, to, addressing }: CallOrder, content: BinaryNode, besides?: number): void {
    if (to.profile.blocked.has(from.number)) return;
    for (const device of to.devices.values()) {
      if (device.device === besides) continue;
      const attributes = {
        from: jidOf(from, addressing),
        id: this.#network.nextId(),
        t: nowSeconds(),
        notify: from.name,
      };
      device.deliver(node("call", attributes, [content]));
    }
  }
}

/** A client says something about a call that its account gets (Baileys Socket/messages-recv.js, `rejectCall`). */
export function takeCall(network: Network, device: LinkedDevice, stanza: BinaryNode): void {
  const { id, to } = stanza.attrs;
  for (const [tag, state] of [
    ["reject", "rejected"],
    ["accept", "accepted"],
  ] as const) {
    const callId = child(stanza, tag)?.attrs["call-id"] ?? "";
    if (network.calls.find(callId)?.to === device.account.number) network.calls.answer(callId, state, device.device);
  }
  device.send(node("ack", { class: "call", id, from: to ?? SERVER, t: nowSeconds() }));
}

function identify({ from, addressing }: CallOrder, id: string): Record<string, string> {
  return { "call-id": id, "call-creator": jidOf(from, addressing) };
}

function jidOf({ number, lid }: Account, addressing: "lid" | "pn"): string {
  return addressing === "lid" ? lidJid(lid) : pnJid(number);
}

function numberOf({ number, profile }: Account): string | undefined {
  return profile.isNumberHidden ? undefined : pnJid(number);
}
