import type { OwnedDevice } from "../shared/db/devices.ts";
import type { DeviceId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";

/** What one device has to do of its own rows, such as its jobs. */
export type DeviceLine = {
  /** There may be something to do. */
  wake: () => void;
  /** Begins nothing more. */
  stop: () => void;
};

type Options = {
  /** What they do, for the log. */
  what: string;
  newLine: (owned: OwnedDevice) => DeviceLine;
  /** Devices of a shard that have something to do. */
  find: (shard: number) => Promise<readonly OwnedDevice[]>;
  shards: () => readonly number[];
  log: Log;
};

/** Rows whose wake-up was lost, or whose host has died, are found so soon. */
const LOOK_EVERY_MS = 15_000;

/** The lines of a host's devices, side by side. What they do are rows: whoever holds a device's shard goes on with them. */
export class DeviceLines {
  readonly #options: Options;
  readonly #lines = new Map<DeviceId, DeviceLine>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: Options) {
    this.#options = options;
    this.#timer = setInterval(() => {
      for (const shard of options.shards()) this.look(shard);
    }, LOOK_EVERY_MS);
  }

  /** A device has something to do. */
  wake(owned: OwnedDevice): void {
    const line = this.#lines.get(owned.deviceId) ?? this.#options.newLine(owned);
    this.#lines.set(owned.deviceId, line);
    line.wake();
  }

  /** Goes on with whatever a shard's devices have to do. */
  look(shard: number): void {
    const { find, what, log } = this.#options;
    find(shard).then(
      (found) => found.forEach((owned) => this.wake(owned)),
      (err: unknown) => log.warn({ err, shard }, `${what} not looked for`),
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
