import type { HostConfig } from "../shared/config.ts";
import type { OwnedDevice } from "../shared/db/devices.ts";
import type { Database } from "../shared/db/pool.ts";
import type { Log } from "../shared/log.ts";
import type { Storage } from "../shared/storage.ts";
import type { PageCache } from "./chat-store/page-cache.ts";
import { newestEpoch } from "./device-state/newest-epoch.ts";
import { wipe } from "./device-state/wipe.ts";
import { openDeviceLife, sendLedgers, statePrefix } from "./device-life.ts";
import type { DeviceLife } from "./device-life.ts";
import type { HostMedia } from "./media/host-media.ts";
import type { RecordOutcome } from "./outcome-recorder.ts";
import type { PersistenceRule } from "./persistence-rule.ts";
import { newCredentials } from "./whatsapp/credentials.ts";

export type DeviceStoreOptions = {
  owned: OwnedDevice;
  epoch: number;
  database: Database;
  /** Shared by all devices of the host. */
  record: RecordOutcome;
  rule: PersistenceRule;
  storage: Storage;
  config: HostConfig;
  pageCache: PageCache;
  media: HostMedia;
  log: Log;
  /** See `Inbox`. */
  onOverflow: () => void;
  /** The device's state was written under this epoch elsewhere: a newer one under which this host owns it, if it does. */
  raiseEpoch: (above: number) => Promise<number | undefined>;
};

/**
 * What is stored of one device, as its host has it in memory: loaded once, before the first connection, and kept over
 * reconnects. One thing at a time: two readers of one log would each take it away from the other.
 */
export class DeviceStore {
  readonly #options: DeviceStoreOptions;
  #epoch: number;
  #life: DeviceLife | undefined;
  #work: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #usedAt = performance.now();

  constructor(options: DeviceStoreOptions) {
    this.#options = options;
    this.#epoch = options.epoch;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** What is loaded now. */
  get life(): DeviceLife | undefined {
    return this.#life;
  }

  /** How long ago what is loaded was last asked for; 0 when nothing is. */
  get unusedMs(): number {
    return this.#life ? performance.now() - this.#usedAt : 0;
  }

  /**
   * Everything that is stored. `fenced`: another host owns the device. `unreadable`: a person must look. `closed`: this
   * host has let go of it. Rejects when the store does not answer.
   */
  load(): Promise<DeviceLife | "fenced" | "unreadable" | "closed"> {
    this.#usedAt = performance.now();
    return this.#inTurn(() => this.#load());
  }

  /**
   * The next connect begins with a QR. What was received before must be events by then, as the journal goes with the
   * link; and what was sent and not answered must not be sent over the next link.
   */
  async forgetLink(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#life?.inbox.idle();
      await this.#life?.state.reset(newCredentials());
      await this.#abandonMessages();
    });
  }

  /** Deletes everything that is stored. Safe to repeat. Rejects when the store does not answer. */
  wipe(): Promise<"wiped" | "fenced"> {
    return this.#inTurn(async () => {
      await this.#drop();
      const wipeNow = () => wipe({ ...this.#place(), epoch: this.#epoch });
      let outcome = await wipeNow();
      if (outcome === "fenced" && (await this.#catchUp())) outcome = await wipeNow();
      if (outcome === "wiped") await this.#abandonMessages();
      return outcome;
    });
  }

  /** Stores what is left, then lets go. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#inTurn(() => this.#drop());
  }

  async #load(): Promise<DeviceLife | "fenced" | "unreadable" | "closed"> {
    if (this.#isClosed) return "closed";
    if (this.#life && !this.#life.state.failed) return this.#life;
    await this.#drop();
    let opened = await this.#openLife();
    if (opened.outcome === "fenced" && (await this.#catchUp())) opened = await this.#openLife();
    if (opened.outcome !== "open") return opened.outcome;
    this.#life = opened.life;
    return opened.life;
  }

  #openLife() {
    const { owned, database, record, rule, storage, config, pageCache, media, log, onOverflow } = this.#options;
    const epoch = this.#epoch;
    const key = config.stateEncryptionKey;
    const { mediaOrigin } = config.whatsapp;
    const parts = { database, record, rule, storage, key, pageCache, media, mediaOrigin, log, onOverflow };
    return openDeviceLife({ owned, epoch, ...parts });
  }

  async #drop(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    await life?.close();
  }

  /**
   * Epochs count the owners of one shard. A device that was removed and registered again may be on another shard, whose
   * epochs are behind the one its state was written under. Whoever holds that shard's lease raises it then; a host that
   * has lost the lease cannot.
   */
  async #catchUp(): Promise<boolean> {
    const raised = await this.#options.raiseEpoch(await newestEpoch(this.#place()));
    if (raised === undefined) return false;
    this.#epoch = raised;
    return true;
  }

  async #abandonMessages(): Promise<void> {
    const { database, owned } = this.#options;
    for (const ledger of sendLedgers(database, owned.deviceId, this.#epoch)) await ledger.abandon();
  }

  #place() {
    const { owned, storage, config } = this.#options;
    return { storage, prefix: statePrefix(owned), key: config.stateEncryptionKey };
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }
}
