import * as commands from "../shared/db/commands.ts";
import type { OwnedDevice } from "../shared/db/devices.ts";
import * as schedules from "../shared/db/schedules.ts";
import type { Database } from "../shared/db/pool.ts";
import { MAX_QUEUED_MESSAGES } from "../shared/dispatch.ts";
import type { CommandId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import type { CommandQueues } from "../shared/queue.ts";
import { HORIZON_SECONDS } from "../shared/schedules.ts";
import type { Device } from "./device.ts";
import type { DeviceLine } from "./device-lines.ts";
import { WokenLoop } from "./woken-loop.ts";

type Options = {
  owned: OwnedDevice;
  database: Database;
  queues: CommandQueues;
  /** The device, as long as this host holds it. */
  device: () => Device | undefined;
  /** How long a schedule waits for a device that is not connected. */
  graceMs: number;
  log: Log;
};

/** How often it looks whether what stands in the way is gone. */
const LOOK_MS = 1_000;

/**
 * The schedules of one device that are due soon: each is held to its second and becomes a command then. The rows decide,
 * by the database's clock; a crash loses nothing but the waiting.
 */
export class ScheduleLine implements DeviceLine {
  readonly #options: Options;
  readonly #loop: WokenLoop;

  constructor(options: Options) {
    this.#options = options;
    const { deviceId } = options.owned;
    this.#loop = new WokenLoop({
      step: () => this.#step(),
      onError: (err) => options.log.error({ err, deviceId }, "schedule not fired, trying again"),
    });
  }

  wake(): void {
    this.#loop.wake();
  }

  stop(): void {
    this.#loop.stop();
  }

  async #step(): Promise<boolean> {
    const { database, owned, device, graceMs } = this.#options;
    const schedule = await schedules.next(database, owned.deviceId);
    if (!schedule || schedule.dueInMs > HORIZON_SECONDS * 1_000) return false;
    if (schedule.dueInMs > 0) {
      await this.#loop.sleep(schedule.dueInMs);
      return true;
    }
    const owner = device();
    if (!owner || this.#loop.isStopped) return false;
    const isConnected = owner.openConnection !== undefined;
    if (-schedule.dueInMs > graceMs) {
      await schedules.fail(database, schedule, owner.epoch, isConnected ? "expired" : "not_connected");
      return true;
    }
    if (!isConnected || (await commands.isBacklog(database, owned.deviceId, MAX_QUEUED_MESSAGES))) {
      await this.#loop.sleep(LOOK_MS);
      return true;
    }
    const fired = await schedules.fire(database, schedule, owner.epoch);
    if (fired === "fenced") return false;
    if (fired !== "no") await this.#queue(fired);
    return true;
  }

  /** Through the queue like every command: what that can do when something fails is needed here, too. */
  async #queue(commandId: CommandId): Promise<void> {
    const { queues, owned, log } = this.#options;
    const { deviceId, shard } = owned;
    await queues
      .send(shard, { commandId, deviceId })
      .catch((err: unknown) => log.warn({ err, commandId }, "scheduled message not queued: the sweep does it"));
  }
}
