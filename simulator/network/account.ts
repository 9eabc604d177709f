import { Phone, type PhoneRecord } from "../phone/phone.ts";
import { AppState, type AppStateRecord } from "./app-state.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Kept } from "./kept.ts";
import { LinkedDevice, type LinkedDeviceRecord } from "./linked-device.ts";
import type { Network } from "./network.ts";
import { Presence } from "./presence.ts";
import { Profile, type ProfileRecord } from "./profile.ts";

export type AccountRecord = {
  number: string;
  lid: string;
  name: string;
  nextDevice: number;
  watchers: string[];
  profile: ProfileRecord;
  appState: AppStateRecord;
  phone: PhoneRecord;
  devices: LinkedDeviceRecord[];
};

/** A person: one phone number, its LID, the phone itself and the devices linked to it. */
export class Account implements Kept {
  readonly keptIn = "accounts";
  /** Digits only, international. */
  readonly number: string;
  readonly lid: string;
  name: string;
  readonly phone: Phone;
  readonly presence = new Presence(this);
  readonly profile: Profile;
  readonly appState: AppState;
  readonly devices = new Map<number, LinkedDevice>();
  /** Device numbers are never used twice, so an old Signal session cannot meet a new device. */
  nextDevice = 1;
  /** Accounts that asked for this one's device list, and are told when it changes. */
  readonly watchers = new Set<string>();

  constructor(network: Network, identity: { number: string; lid: string; name: string }, record?: AccountRecord) {
    this.number = identity.number;
    this.lid = identity.lid;
    this.name = identity.name;
    this.profile = new Profile(record?.profile);
    this.appState = new AppState(record?.appState);
    this.phone = new Phone(network, this, record?.phone);
  }

  get keptAs(): string {
    return this.number;
  }

  /** The phone first, then the linked devices. */
  endpoints(): Endpoint[] {
    return [this.phone, ...this.devices.values()];
  }

  endpoint(device: number): Endpoint | undefined {
    return device === 0 ? this.phone : this.devices.get(device);
  }

  /** Whether somebody may put this person into a group without asking. Nobody has an address book here. */
  mayBeAddedBy({ number }: Account): boolean {
    return this.profile.privacy.get("groupadd") === "all" && !this.profile.blocked.has(number);
  }

  toRecord(): AccountRecord {
    return {
      number: this.number,
      lid: this.lid,
      name: this.name,
      nextDevice: this.nextDevice,
      watchers: [...this.watchers],
      profile: this.profile.toRecord(),
      appState: this.appState.toRecord(),
      phone: this.phone.toRecord(),
      devices: [...this.devices.values()].map((device) => device.toRecord()),
    };
  }

  static fromRecord(network: Network, record: AccountRecord): Account {
    const account = new Account(network, record, record);
    account.nextDevice = record.nextDevice;
    for (const watcher of record.watchers) account.watchers.add(watcher);
    for (const device of record.devices) {
      account.devices.set(device.device, LinkedDevice.fromRecord(network, account, device));
    }
    return account;
  }
}
