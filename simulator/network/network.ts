import { createHash, randomBytes } from "node:crypto";
import type { Certificates } from "../wire/certificates.ts";
import type { Connection } from "../wire/connection.ts";
import { lidJid, parseJid, pnJid, PN_SERVER } from "../wire/jid.ts";
import { node } from "../wire/node.ts";
import type { MediaLibrary } from "../media/media-library.ts";
import { PairingDesk } from "../pairing/pairing-desk.ts";
import { Account } from "./account.ts";
import { Groups } from "../groups/groups.ts";
import { announce } from "./announce.ts";
import { Calls } from "./calls.ts";
import { Clock } from "./clock.ts";
import type { Endpoint } from "./endpoint.ts";
import { FaultTable } from "./faults.ts";
import type { Kept, Memory } from "./kept.ts";
import { LinkedDevice, type DeviceIdentity } from "./linked-device.ts";
import { Stats } from "./stats.ts";
import { Trace } from "./trace.ts";

/** The whole simulated WhatsApp: who exists, what is linked to whom, what is to go wrong, what was seen. */
export class Network {
  readonly certificates: Certificates;
  readonly clock = new Clock();
  readonly faults = new FaultTable();
  readonly pairings: PairingDesk;
  /** Pictures, videos and whatever else is too large for a stanza. */
  readonly media: MediaLibrary;
  stats = new Stats();
  trace = new Trace();
  readonly groups = new Groups();
  readonly calls = new Calls(this);
  /** Open WebSockets, whoever they belong to. */
  readonly connections = new Set<Connection>();
  readonly #accounts = new Map<string, Account>();
  readonly #byLid = new Map<string, Account>();
  readonly #memory: Memory;
  readonly #kept = new Map<string, Kept>();
  readonly #idPrefix = randomBytes(4).toString("hex");
  #issuedIds = 0;

  constructor(certificates: Certificates, memory: Memory, media: MediaLibrary) {
    this.certificates = certificates;
    this.pairings = new PairingDesk(this.clock);
    this.#memory = memory;
    this.media = media;
    this.keep(media);
  }

  /** A stanza id of the server's own, never used twice. */
  nextId(): string {
    return `${this.#idPrefix}.${++this.#issuedIds}`;
  }

  /** From now on `changed` makes this last. */
  keep(thing: Kept): void {
    this.#kept.set(keyOf(thing), thing);
  }

  /** To be called whenever something about it changed that a restart must not forget. What is not kept (any more) is ignored. */
  changed(thing: Kept): void {
    if (this.#kept.get(keyOf(thing)) === thing) this.#memory.changed(thing);
  }

  /** It is no more: nothing of it is to be found after a restart. */
  gone(thing: Kept): void {
    if (this.#kept.delete(keyOf(thing))) this.#memory.gone(thing);
  }

  accounts(): Account[] {
    return [...this.#accounts.values()];
  }

  account(number: string): Account | undefined {
    return this.#accounts.get(number);
  }

  linkedDevices(): LinkedDevice[] {
    return this.accounts().flatMap((account) => [...account.devices.values()]);
  }

  /** The device that was given this token for the media host. */
  deviceByMediaAuth(auth: string): LinkedDevice | undefined {
    return this.linkedDevices().find((device) => device.mediaAuth === auth);
  }

  /** The account behind an address by number or LID, whatever its device part. */
  find(jid: string | undefined): Account | undefined {
    const parsed = parseJid(jid);
    if (parsed?.server === PN_SERVER) return this.#accounts.get(parsed.user);
    return parsed?.server === "lid" ? this.#byLid.get(parsed.user) : undefined;
  }

  endpoint(jid: string | undefined): Endpoint | undefined {
    return this.find(jid)?.endpoint(parseJid(jid)?.device ?? 0);
  }

  /** A new person with a phone. The LID follows from the number, so it is the same in every simulator. */
  createAccount(number: string, name: string): Account {
    const account = new Account(this, { number, name, lid: lidOf(number) });
    this.add(account);
    this.changed(account);
    return account;
  }

  add(account: Account): void {
    this.keep(account);
    this.#accounts.set(account.number, account);
    this.#byLid.set(account.lid, account);
  }

  /** Stores a device that its phone has accepted, and tells those who know the account's device list. */
  link(account: Account, device: number, identity: DeviceIdentity): LinkedDevice {
    const linked = new LinkedDevice(this, account, device, identity);
    this.#tellWatchers(account, device, "update");
    account.devices.set(device, linked);
    this.changed(account);
    return linked;
  }

  /** The device is no more: its connection ends with 401 `device_removed`, its queue, keys and sessions are gone. */
  unlink(device: LinkedDevice): void {
    const { account, connection } = device;
    if (!account.devices.delete(device.device)) return;
    connection?.send(node("stream:error", { code: "401" }, [node("conflict", { type: "device_removed" })]));
    connection?.close();
    this.#tellWatchers(account, device.device, "remove");
    for (const { phone } of this.#accounts.values()) phone.forget(device);
    this.changed(account);
  }

  /** Forgets everyone and everything but the certificates. Clients are cut off and find themselves unknown. */
  reset(): void {
    for (const connection of this.connections) connection.drop();
    for (const account of this.#accounts.values()) void account.phone.stop();
    this.#accounts.clear();
    this.#byLid.clear();
    this.groups.clear();
    this.calls.clear();
    this.faults.clear();
    this.pairings.clear();
    this.stats = new Stats();
    this.trace = new Trace();
    this.#kept.clear();
    this.keep(this.media);
    this.media.clear();
    this.#memory.cleared();
  }

  /**
   * Clients keep device lists for minutes; `update` makes Baileys ask again, `remove` makes it drop the session too
   * (Socket/messages-recv.js, `handleDevicesNotification`). It keeps one list per address form, hence both.
   */
  #tellWatchers(account: Account, device: number, change: "update" | "remove"): void {
    const devices = [pnJid(account.number, device), lidJid(account.lid, device)].map((jid) => node("device", { jid }));
    announce(this, account, { type: "devices", content: [node(change, {}, devices)], isPublic: true });
  }
}

function keyOf({ keptIn, keptAs }: Kept): string {
  return `${keptIn}/${keptAs}`;
}

/** Real LIDs are 14 or 15 digits that say nothing about the number. */
function lidOf(number: string): string {
  const digest = createHash("sha256").update(`lid ${number}`).digest();
  return `1${(digest.readBigUInt64BE() % 100_000_000_000_000n).toString().padStart(14, "0")}`;
}
