import { randomBytes } from "node:crypto";
import { proto } from "@whiskeysockets/baileys";
import type { Account } from "../network/account.ts";
import type { DeviceIdentity } from "../network/linked-device.ts";
import type { Network } from "../network/network.ts";
import { placeOf } from "../network/place-of.ts";
import type { Connection } from "../wire/connection.ts";
import { lidJid, parseJid, pnJid } from "../wire/jid.ts";
import { Malformed } from "../wire/malformed.ts";
import { childBytes, node, nowSeconds, SERVER, type BinaryNode } from "../wire/node.ts";
import { inviteDevice, isSignedByCompanion, type DeviceInvitation } from "./device-identity.ts";
import { answerWithCode, secretFromBundle, WRAPPED_KEY_BYTES, type CodeExchange } from "./link-code.ts";
import type { PairingOutcome } from "./pairing-desk.ts";
import { passkeyRequest } from "./passkey-request.ts";

const REF_COUNT = 6;
const ANSWER_TIMEOUT_MS = 10_000;
/** A client that still waits so long after its last QR code is cut off; Baileys ends by itself before that, with 408. */
const GRACE_MS = 20_000;

type Candidate = Omit<DeviceIdentity, "deviceIdentity">;
type Invited = { stanzaId: string; account: Account; device: number; invitation: DeviceInvitation };

/** A connection of a client that is not linked yet: shows QR codes, may ask for a pairing code, gets linked. */
export class Registration {
  readonly #network: Network;
  readonly #connection: Connection;
  readonly #candidate: Candidate;
  #invited: Invited | undefined;
  #codeRequest: { wrappedKey: Buffer; ref: Buffer } | undefined;
  #exchange: { account: Account; exchange: CodeExchange } | undefined;
  #conclude: (outcome: PairingOutcome) => void = () => {};
  readonly #cancelEnd: () => void;

  /** Throws `Malformed` if the client's keys are not whole. */
  constructor(
    network: Network,
    connection: Connection,
    client: { data: proto.ClientPayload.IDevicePairingRegistrationData; noiseKey: Buffer },
  ) {
    this.#network = network;
    this.#connection = connection;
    this.#candidate = readCandidate(client.data, client.noiseKey);
    const refs = Array.from({ length: REF_COUNT }, () => `2@${randomBytes(48).toString("base64")}`);
    const expiresAt = network.pairings.showRefs(refs, this);
    this.#cancelEnd = network.clock.after(expiresAt + GRACE_MS - network.clock.now(), () => connection.close());
    const shown = refs.map((ref) => node("ref", {}, Buffer.from(ref)));
    connection.send(
      node("iq", { from: SERVER, type: "set", xmlns: "md", id: network.nextId() }, [node("pair-device", {}, shown)]),
    );
  }

  /** Whether these are the client's keys, base64 as in its QR code. */
  hasKeys(noiseKey: string, identityKey: string): boolean {
    const candidate = this.#candidate;
    return (
      Buffer.from(noiseKey, "base64").equals(candidate.noiseKey) &&
      Buffer.from(identityKey, "base64").equals(candidate.identityKey)
    );
  }

  /** Invites the client; resolves when it has signed and is stored, or when it has not. */
  pair(account: Account, advSecret: string): Promise<PairingOutcome> {
    if (this.#invited) return Promise.resolve({ outcome: "unknown" });
    const outcome = this.#expectOutcome();
    this.#accept(account, advSecret);
    return outcome;
  }

  /** Answers the client's request for a pairing code with what the user typed. */
  async enterCode(account: Account, code: string): Promise<PairingOutcome> {
    const request = this.#codeRequest;
    if (!request || this.#invited) return { outcome: "unknown" };
    const exchange = await answerWithCode(code, request.wrappedKey);
    const outcome = this.#expectOutcome();
    this.#exchange = { account, exchange };
    const attributes = { from: SERVER, type: "link_code_companion_reg", id: this.#network.nextId(), t: nowSeconds() };
    this.#connection.send(
      node("notification", attributes, [
        node("link_code_companion_reg", { stage: "primary_hello" }, [
          node("link_code_pairing_wrapped_primary_ephemeral_pub", {}, exchange.wrappedPhoneKey),
          node("primary_identity_pub", {}, account.phone.identity.public),
          node("link_code_pairing_ref", {}, request.ref),
        ]),
      ]),
    );
    return outcome;
  }

  receive(stanza: BinaryNode): void {
    if (stanza.tag !== "iq") return;
    const request = Array.isArray(stanza.content) ? stanza.content[0] : undefined;
    if (stanza.attrs["type"] === "result") {
      if (request?.tag === "pair-device-sign") this.#finish(stanza, request);
    } else if (request?.tag === "link_code_companion_reg") this.#receiveLinkCode(stanza, request);
    else this.#reply(stanza);
  }

  closed(): void {
    this.#cancelEnd();
    this.#network.pairings.leave(this);
    this.#conclude({ outcome: "refused" });
  }

  #expectOutcome(): Promise<PairingOutcome> {
    this.#conclude({ outcome: "refused" });
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#connection.drop(), ANSWER_TIMEOUT_MS);
      this.#conclude = (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      };
    });
  }

  #accept(account: Account, advSecret: string): void {
    if (this.#network.faults.take("passkey-required", placeOf(this.#network, account, 0))) {
      this.#connection.send(passkeyRequest(this.#network.nextId()));
      this.#conclude({ outcome: "passkey-required" });
    } else this.#invite(account, advSecret);
  }

  #invite(account: Account, advSecret: string): void {
    const device = account.nextDevice++;
    const invitation = inviteDevice({
      phoneIdentity: account.phone.identity,
      companionIdentityKey: this.#candidate.identityKey,
      advSecret,
      keyIndex: device,
    });
    const stanzaId = this.#network.nextId();
    this.#invited = { stanzaId, account, device, invitation };
    this.#connection.send(
      node("iq", { from: SERVER, type: "set", id: stanzaId, t: nowSeconds() }, [
        node("pair-success", {}, [
          node("device-identity", {}, invitation.signedByPhone),
          node("platform", { name: "android" }),
          node("device", { jid: pnJid(account.number, device), lid: lidJid(account.lid, device) }),
        ]),
      ]),
    );
  }

  /** The client signed: it is linked, and told to come back and log in (515). */
  #finish(stanza: BinaryNode, signed: BinaryNode): void {
    const invited = this.#invited;
    if (!invited || stanza.attrs["id"] !== invited.stanzaId) return;
    const { account, device, invitation } = invited;
    const deviceIdentity = childBytes(signed, "device-identity");
    const keys = {
      phoneIdentityKey: account.phone.identity.public,
      companionIdentityKey: this.#candidate.identityKey,
    };
    if (!isSignedByCompanion(deviceIdentity, invitation, keys)) throw new Malformed("wrong device signature");
    this.#network.link(account, device, { ...this.#candidate, deviceIdentity });
    this.#conclude({ outcome: "linked", device });
    this.#connection.send(node("stream:error", { code: "515" }));
    this.#connection.close();
  }

  #receiveLinkCode(iq: BinaryNode, request: BinaryNode): void {
    if (request.attrs["stage"] === "companion_hello") {
      const tag = "link_code_pairing_wrapped_companion_ephemeral_pub";
      const wrappedKey = childBytes(request, tag, WRAPPED_KEY_BYTES);
      const ref = randomBytes(16);
      this.#codeRequest = { wrappedKey, ref };
      this.#network.pairings.awaitCode(parseJid(request.attrs["jid"])?.user ?? "", this);
      const content = [node("link_code_pairing_ref", {}, ref)];
      this.#reply(iq, [node("link_code_companion_reg", { stage: "companion_hello" }, content)]);
      return;
    }
    const secret = this.#exchange && this.#openBundle(this.#exchange, request);
    if (this.#exchange && secret !== undefined) {
      this.#reply(iq);
      this.#accept(this.#exchange.account, secret);
      return;
    }
    const error = node("error", { code: "400", text: "bad-request" });
    this.#connection.send(node("iq", { from: SERVER, type: "error", id: iq.attrs["id"] }, [error]));
    this.#conclude({ outcome: "refused" });
  }

  #openBundle({ account, exchange }: { account: Account; exchange: CodeExchange }, request: BinaryNode) {
    const companionIdentityKey = childBytes(request, "companion_identity_public", 32);
    if (!companionIdentityKey.equals(this.#candidate.identityKey)) return undefined;
    const keys = { phoneIdentity: account.phone.identity, companionIdentityKey };
    return secretFromBundle(exchange, childBytes(request, "link_code_pairing_wrapped_key_bundle"), keys);
  }

  #reply(iq: BinaryNode, content?: BinaryNode[]): void {
    this.#connection.send(node("iq", { from: SERVER, type: "result", id: iq.attrs["id"] }, content));
  }
}

/** The registration data of Baileys' Utils/validate-connection.js, `generateRegistrationNode`. */
function readCandidate(data: proto.ClientPayload.IDevicePairingRegistrationData, noiseKey: Buffer): Candidate {
  const { eRegid, eIdent, eSkeyId, eSkeyVal, eSkeySig, deviceProps } = data;
  const props = proto.DeviceProps.decode(deviceProps ?? new Uint8Array());
  const kind = proto.DeviceProps.PlatformType[props.platformType ?? 0] ?? "UNKNOWN";
  return {
    platform: `${kind} on ${props.os ?? "unknown"}`,
    noiseKey,
    identityKey: exactly(eIdent, 32),
    registrationId: exactly(eRegid, 4).readUInt32BE(),
    signedPreKey: {
      id: exactly(eSkeyId, 3).readUIntBE(0, 3),
      publicKey: exactly(eSkeyVal, 32),
      signature: exactly(eSkeySig, 64),
    },
  };
}

function exactly(bytes: Uint8Array | null | undefined, length: number): Buffer {
  if (bytes?.length !== length) throw new Malformed(`a key or id is not ${length} bytes`);
  return Buffer.from(bytes);
}
