import type { OwnedDevice } from "../../shared/db/devices.ts";
import * as jobs from "../../shared/db/jobs.ts";
import type { Database } from "../../shared/db/pool.ts";
import type { DeviceId } from "../../shared/ids.ts";
import type { Log } from "../../shared/log.ts";
import type { Device } from "../device.ts";
import { JobLine } from "./job-line.ts";

type Options = {
  database: Database;
  /** The device, as long as this host holds its shard. */
  device: (owned: OwnedDevice) => Device | undefined;
  shards: () => readonly number[];
  log: Log;
};

/** Jobs whose wake-up was lost, or whose host has died, are found so soon. */
const LOOK_EVERY_MS = 15_000;

/** The jobs of a host's devices, side by side. They are rows: whoever holds a device's shard goes on with them. */
export class JobLines {
  readonly #options: Options;
  readonly #lines = new Map<DeviceId, JobLine>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: Options) {
    this.#options = options;
    this.#timer = setInterval(() => {
      for (const shard of options.shards()) this.look(shard);
    }, LOOK_EVERY_MS);
  }

  /** A device has something to do. */
  wake(owned: OwnedDevice): void {
    const { database, device, log } = this.#options;
    const { deviceId } = owned;
    const line = this.#lines.get(deviceId) ?? new JobLine({ deviceId, database, device: () => device(owned), log });
    this.#lines.set(deviceId, line);
    line.wake();
  }

  /** Goes on with whatever a shard's devices have to do. */
  look(shard: number): void {
    const { database, log } = this.#options;
    jobs.listDevicesToRun(database, shard).then(
      (found) => found.forEach((owned) => this.wake(owned)),
      (err: unknown) => log.warn({ err, shard }, "jobs not looked for"),
    );
  }

  /** The device is not this host's any more: nothing of it is begun here. */
  drop(deviceId: DeviceId): void {
    this.#lines.get(deviceId)?.stop();
    this.#lines.delete(deviceId);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const line of this.#lines.values()) line.stop();
    this.#lines.clear();
  }
}
