import type { HostConfig } from "../shared/config.ts";
import * as jobs from "../shared/db/jobs.ts";
import * as schedules from "../shared/db/schedules.ts";
import * as devices from "../shared/db/devices.ts";
import type { OwnedDevice } from "../shared/db/devices.ts";
import type { Lease } from "../shared/db/leases.ts";
import type { Database } from "../shared/db/pool.ts";
import type { DeviceId, HostId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import type { MediaFiles } from "../shared/media-files.ts";
import type { CommandQueues } from "../shared/queue.ts";
import type { Storage } from "../shared/storage.ts";
import { PageCache } from "./chat-store/page-cache.ts";
import { commandLoader } from "./command-loader.ts";
import type { LoadCommand } from "./command-loader.ts";
import { commandStarter } from "./command-starter.ts";
import type { StartSending } from "./command-starter.ts";
import { Consumer } from "./consumer.ts";
import { Device } from "./device.ts";
import { DeviceLines } from "./device-lines.ts";
import { sendBooks } from "./device-life.ts";
import { executeLine, giveUp } from "./execute.ts";
import { JobLine } from "./jobs/job-line.ts";
import { LeaseKeeper } from "./leases.ts";
import { openHostMedia } from "./media/host-media.ts";
import type { HostMedia } from "./media/host-media.ts";
import { LoginBudget } from "./login-budget.ts";
import type { Load } from "./metrics.ts";
import { outcomeRecorder } from "./outcome-recorder.ts";
import type { RecordOutcome } from "./outcome-recorder.ts";
import { persistenceRule } from "./persistence-rule.ts";
import type { PersistenceRule } from "./persistence-rule.ts";
import { ScheduleLine } from "./schedule-line.ts";
import type { Watchdog } from "./watchdog.ts";

type Options = {
  hostId: HostId;
  config: HostConfig;
  database: Database;
  /** See `LeaseKeeper`. */
  leaseDatabase: Database;
  /** See `persistenceRule`. */
  ruleDatabase: Database;
  queues: CommandQueues;
  /** The bucket of device state, and that of media and answers. */
  storage: Storage;
  media: Storage;
  files: MediaFiles;
  watchdog: Watchdog;
  log: Log;
};

/** Commands that run when a shard is given away have so long to end. */
const DRAIN_MS = 5_000;
const RETRY_MS = 1_000;

/**
 * One socket-host process: the shards it holds, and for each its queue and its devices. Nothing of a shard runs here
 * unless the lease is held.
 */
export class Host {
  readonly #options: Options;
  readonly #keeper: LeaseKeeper;
  readonly #consumers = new Map<number, Consumer>();
  readonly #devices = new Map<DeviceId, Device>();
  readonly #logins: LoginBudget;
  readonly #pageCache = new PageCache();
  readonly #media: HostMedia;
  readonly #record: RecordOutcome;
  readonly #rule: PersistenceRule;
  readonly #load: LoadCommand;
  readonly #start: StartSending;
  readonly #jobs: DeviceLines;
  readonly #schedules: DeviceLines;
  #isStopping = false;

  constructor(options: Options) {
    this.#options = options;
    const { database, hostId, queues, config, log } = options;
    this.#record = outcomeRecorder(database, sendBooks, log);
    this.#rule = persistenceRule(options.ruleDatabase, log);
    this.#media = openHostMedia(options.files);
    this.#load = commandLoader(database);
    this.#start = commandStarter(database);
    const { restoreStaggerMs, loginsPerSecond } = config.whatsapp;
    this.#logins = new LoginBudget({ database, staggerMs: restoreStaggerMs, loginsPerSecond, log });
    const shards = () => [...this.#consumers.keys()];
    this.#jobs = new DeviceLines({
      what: "jobs",
      newLine: (owned) => new JobLine({ deviceId: owned.deviceId, database, device: () => this.device(owned), log }),
      find: (shard) => jobs.listDevicesToRun(database, shard),
      shards,
      log,
    });
    this.#schedules = new DeviceLines({
      what: "schedules",
      newLine: (owned) =>
        new ScheduleLine({
          owned,
          database,
          queues,
          device: () => this.device(owned),
          graceMs: config.scheduleGraceMs,
          log,
        }),
      find: (shard) => schedules.listDevicesToRun(database, shard),
      shards,
      log,
    });
    this.#keeper = new LeaseKeeper({
      database: options.leaseDatabase,
      hostId,
      shards: queues.shards,
      durationMs: config.leaseDurationMs,
      log,
      onTaken: (lease) => this.#startShard(lease),
      onLost: (lease, isUrgent) => this.#stopShard(lease, isUrgent),
      mayMove: (shard) => !this.#devicesOf(shard).some((device) => device.isLinking),
      // They are resumed, so nothing but the fleet's pace holds them up.
      loginMs: (shard) => (this.#devicesOf(shard).length * 1000) / loginsPerSecond,
      onExpiry: (ms) => options.watchdog.expectWithin(ms),
      onRound: (held) => this.#markAlive(held),
    });
  }

  /** What a command needs that is about no one device. */
  get services() {
    const { queues, storage, config } = this.#options;
    return { queues, storage, key: config.stateEncryptionKey };
  }

  async start(): Promise<void> {
    await this.#keeper.start();
  }

  /** What it carries now. */
  get load(): Load {
    const connected = [...this.#devices.values()].filter(({ isAlive }) => isAlive).length;
    return { shards: this.#consumers.size, devices: this.#devices.size, connected };
  }

  /** Hands everything over: commands ended or given back, state flushed, sockets closed without logout, leases released. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#jobs.stop();
    this.#schedules.stop();
    await this.#keeper.stop();
  }

  /** The device, created here on first use; undefined when this host does not hold its shard. */
  device(owned: OwnedDevice): Device | undefined {
    const lease = this.#keeper.valid(owned.shard);
    if (!lease) return undefined;
    const known = this.#devices.get(owned.deviceId);
    if (known) return known;
    const { database, storage, config, log } = this.#options;
    const device = new Device({
      owned,
      epoch: lease.epoch,
      database,
      storage,
      config,
      pageCache: this.#pageCache,
      media: this.#media,
      record: this.#record,
      rule: this.#rule,
      logins: this.#logins,
      log,
      onFenced: () => void this.#closeFenced(owned.deviceId),
      raiseEpoch: async (above) => (await this.#keeper.raise(owned.shard, above))?.epoch,
    });
    this.#devices.set(owned.deviceId, device);
    return device;
  }

  /** A device's jobs have something to do. */
  wakeJobs(owned: OwnedDevice): void {
    this.#jobs.wake(owned);
  }

  /** A schedule of a device is due soon. */
  wakeSchedules(owned: OwnedDevice): void {
    this.#schedules.wake(owned);
  }

  /** Closes a device without logging it out, and forgets it. */
  async close(deviceId: DeviceId): Promise<void> {
    this.#jobs.drop(deviceId);
    this.#schedules.drop(deviceId);
    const device = this.#devices.get(deviceId);
    this.#devices.delete(deviceId);
    await device?.close();
  }

  #devicesOf(shard: number): Device[] {
    return [...this.#devices.values()].filter((device) => device.shard === shard);
  }

  #startShard(lease: Lease): void {
    const { database, queues, media, log } = this.#options;
    const context = { host: this, database, load: this.#load, start: this.#start, media, log };
    const consumer = new Consumer({
      shard: lease.shard,
      queues,
      log,
      execute: (messages) => executeLine(messages, context),
      giveUp: (message) => giveUp(message, { host: this, database }),
    });
    this.#consumers.set(lease.shard, consumer);
    void this.#restoreInTheEnd(lease);
    this.#jobs.look(lease.shard);
    this.#schedules.look(lease.shard);
  }

  async #restoreInTheEnd(lease: Lease): Promise<void> {
    while (!this.#isStopping && this.#keeper.valid(lease.shard)) {
      try {
        await this.#restore(lease);
        return;
      } catch (err) {
        this.#options.log.error({ err, shard: lease.shard }, "devices not restored, trying again");
        await pause(RETRY_MS);
      }
    }
  }

  /** Connects what should be connected; the login budget lets them through one after the other. */
  async #restore(lease: Lease): Promise<void> {
    const { database } = this.#options;
    await devices.endPairings(database, lease.shard, lease.epoch);
    const wanted = await devices.listToConnect(database, lease.shard);
    if (this.#isStopping || !this.#keeper.valid(lease.shard)) return;
    for (const owned of wanted) void this.device(owned)?.connect(owned.wasConnected ? "resumed" : "in line");
  }

  /** `isUrgent`: the shard may be another host's already, so nothing is waited for. */
  async #stopShard(lease: Lease, isUrgent: boolean): Promise<void> {
    const consumer = this.#consumers.get(lease.shard);
    this.#consumers.delete(lease.shard);
    const ofShard = this.#devicesOf(lease.shard);
    const closeDevices = () => Promise.all(ofShard.map((device) => this.close(device.deviceId)));
    if (isUrgent) {
      await Promise.all([closeDevices(), consumer?.stop(0)]);
      return;
    }
    await consumer?.stop(DRAIN_MS);
    await closeDevices();
  }

  async #closeFenced(deviceId: DeviceId): Promise<void> {
    this.#options.log.warn({ deviceId }, "device is another host's or was removed");
    await this.close(deviceId);
  }

  /** One statement a round and shard for all its sockets that have heard from WhatsApp lately. */
  async #markAlive(held: readonly Lease[]): Promise<void> {
    const { database, log } = this.#options;
    for (const device of this.#devices.values()) {
      device.checkPulse().catch((err: unknown) => log.error({ err, deviceId: device.deviceId }, "pulse not checked"));
      if (device.isIdle) void this.close(device.deviceId);
    }
    for (const { shard, epoch } of held) {
      const alive = this.#devicesOf(shard).filter((device) => device.isAlive);
      await devices.markAlive(
        database,
        alive.map((device) => device.deviceId),
        epoch,
      );
    }
  }
}

const pause = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));
