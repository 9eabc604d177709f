import { randomBytes } from "node:crypto";
import type { Connection } from "../wire/connection.ts";
import { node, nowSeconds, SERVER, type BinaryNode } from "../wire/node.ts";
import type { Account } from "./account.ts";
import { ConnectionLog } from "./connection-log.ts";
import type { Endpoint, KeyBundle } from "./endpoint.ts";
import type { Network } from "./network.ts";
import { PreKeys, type PreKey } from "./pre-keys.ts";
import { StanzaQueue } from "./stanza-queue.ts";

/** What a client brought when it was linked; the public half of its keys. */
export type DeviceIdentity = {
  /** What the client calls itself, e.g. "CHROME on Ubuntu". */
  platform: string;
  /** Noise static key: by it a device is recognised at login. */
  noiseKey: Uint8Array;
  identityKey: Uint8Array;
  registrationId: number;
  signedPreKey: KeyBundle["signedPreKey"];
  /** The signed proof that the phone linked this device (`ADVSignedDeviceIdentity`). */
  deviceIdentity: Uint8Array;
};

export type LinkedDeviceRecord = {
  device: number;
  identity: DeviceIdentity;
  preKeys: [id: number, publicKey: Uint8Array][];
  queue: Uint8Array[];
  isBootstrapped: boolean;
};

/** Below this the server asks for more (Baileys: `MIN_PREKEY_COUNT` in Defaults/index.js). */
const LOW_PREKEY_COUNT = 5;

/** A linked device (companion): its published keys, what waits for it, and its live connection if it has one. */
export class LinkedDevice implements Endpoint {
  readonly account: Account;
  readonly device: number;
  identity: DeviceIdentity;
  readonly preKeys = new PreKeys();
  readonly queue = new StanzaQueue();
  /** Whether the phone has sent the app-state keys and the first history. */
  isBootstrapped = false;
  /** By this the media host knows the device. */
  readonly mediaAuth = randomBytes(24).toString("base64url");
  readonly connections = new ConnectionLog();
  connection: Connection | undefined;
  /** Whether it said that somebody looks at it. */
  isAvailable = false;
  readonly #network: Network;
  #isActive = false;
  #askedForPreKeys = false;

  constructor(network: Network, account: Account, device: number, identity: DeviceIdentity) {
    this.#network = network;
    this.account = account;
    this.device = device;
    this.identity = identity;
  }

  get isConnected(): boolean {
    return this.connection?.isOpen === true;
  }

  /** A logged-in connection takes over; nothing is delivered before `activate`. */
  attach(connection: Connection): void {
    this.connection = connection;
    this.isAvailable = false;
    this.connections.opened(connection);
    this.#isActive = false;
    this.#askedForPreKeys = false;
    this.queue.markAllUnsent();
  }

  detach(connection: Connection): void {
    this.connections.closed(connection);
    if (this.connection !== connection) return;
    this.connection = undefined;
    this.account.presence.refresh();
  }

  /**
   * The client is ready: brings what waited, marked `offline`, then says how much it was. Peer messages of the own phone
   * (keys, history) come after that: Baileys starts to look for them only then (Socket/chats.js, AwaitingInitialSync).
   */
  activate(): boolean {
    if (this.#isActive) return false;
    this.#isActive = true;
    const count = this.queue.waiting().filter((stanza) => !isPeer(stanza)).length;
    if (count > 0) this.send(node("ib", { from: SERVER }, [node("offline_preview", { count: String(count) })]));
    this.queue.sendWaiting(
      (stanza) => !isPeer(stanza) && this.send({ ...stanza, attrs: { ...stanza.attrs, offline: "0" } }),
    );
    this.send(node("ib", { from: SERVER }, [node("offline", { count: String(count) })]));
    this.queue.sendWaiting((stanza) => this.send(stanza));
    return true;
  }

  /** Sends what a frozen connection could not take. */
  resume(): void {
    if (this.#isActive) this.queue.sendWaiting((stanza) => this.send(stanza));
  }

  /** For what is worthless later (presence, typing): sent if the device is there, else dropped. */
  send(stanza: BinaryNode): boolean {
    return this.connection?.send(stanza) === true;
  }

  deliver(stanza: BinaryNode): void {
    const isSent = this.#isActive && this.send(stanza);
    if (!this.queue.push(stanza, isSent)) this.#network.stats.droppedFromQueues++;
    this.#network.changed(this.account);
  }

  /** The client has dealt with a stanza: it is not brought again. */
  settle(tag: string, id: string, type?: string): void {
    if (this.queue.settle(tag, id, type)) this.#network.changed(this.account);
  }

  addPreKeys(keys: PreKey[]): void {
    this.preKeys.add(keys);
    this.#askedForPreKeys = false;
    this.#network.changed(this.account);
  }

  takeKeyBundle(): KeyBundle {
    const { registrationId, identityKey, signedPreKey, deviceIdentity } = this.identity;
    const bundle = { registrationId, identityKey, signedPreKey, deviceIdentity };
    const preKey = this.preKeys.take();
    if (!preKey) return bundle;
    this.#network.changed(this.account);
    if (this.preKeys.size < LOW_PREKEY_COUNT) this.#askForPreKeys();
    return { ...bundle, preKey };
  }

  #askForPreKeys(): void {
    if (this.#askedForPreKeys) return;
    const count = node("count", { value: String(this.preKeys.size) });
    const attributes = { from: SERVER, type: "encrypt", id: this.#network.nextId(), t: nowSeconds() };
    this.#askedForPreKeys = this.send(node("notification", attributes, [count]));
  }

  toRecord(): LinkedDeviceRecord {
    return {
      device: this.device,
      identity: this.identity,
      preKeys: this.preKeys.toRecord(),
      queue: this.queue.toRecord(),
      isBootstrapped: this.isBootstrapped,
    };
  }

  static fromRecord(network: Network, account: Account, record: LinkedDeviceRecord): LinkedDevice {
    const device = new LinkedDevice(network, account, record.device, record.identity);
    device.preKeys.add(record.preKeys.map(([id, publicKey]) => ({ id, publicKey })));
    device.queue.load(record.queue);
    device.isBootstrapped = record.isBootstrapped;
    return device;
  }
}

function isPeer(stanza: BinaryNode): boolean {
  return stanza.attrs["category"] === "peer";
}
