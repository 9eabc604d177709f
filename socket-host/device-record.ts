import * as devices from "../shared/db/devices.ts";
import type { StatusChange } from "../shared/db/devices.ts";
import * as events from "../shared/db/events.ts";
import type { NewEvent } from "../shared/events.ts";
import * as sessions from "../shared/db/sessions.ts";
import { transaction } from "../shared/db/pool.ts";
import type { Database } from "../shared/db/pool.ts";
import type { DeviceId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";

type Options = {
  database: Database;
  deviceId: DeviceId;
  /** Under which the row is written now. */
  epoch: () => number;
  log: Log;
  /** The row is another host's, or gone: this host must let go of the device. */
  onFenced: () => void;
};

const RETRY_MS = 1_000;

/** Writes what the host has seen of a device to its row, in order, each change of status with its event. */
export class DeviceRecord {
  readonly #options: Options;
  #work: Promise<void> = Promise.resolve();
  #shown = "";
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Resolves when the change is committed, or can no longer be. */
  async write(change: StatusChange): Promise<void> {
    this.#work = this.#work.then(() => this.#persist(change));
    await this.#work;
  }

  /** Waits for what was written; nothing is written any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#work;
  }

  async #persist(change: StatusChange): Promise<void> {
    const { database, deviceId, epoch, log, onFenced } = this.#options;
    for (;;) {
      try {
        const isOurs = await transaction(database, async (runner) => {
          if (!(await devices.setStatus(runner, deviceId, epoch(), change))) return false;
          if (change.phoneNumber) await sessions.open(runner, deviceId, change.phoneNumber);
          await events.append(runner, deviceId, epoch(), this.#eventsOf(change));
          return true;
        });
        if (isOurs) this.#shown = `${change.status}|${change.statusReason}`;
        else onFenced();
        return;
      } catch (err) {
        log.error({ err, deviceId, status: change.status }, "status not recorded");
        if (this.#isClosed) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #eventsOf({ status, statusReason, phoneNumber, qr }: StatusChange): NewEvent[] {
    const common = { dedupeKey: null, occurredAt: new Date() };
    const found: NewEvent[] = [];
    if (this.#shown !== `${status}|${statusReason}`) {
      const data = { status, reason: statusReason, phoneNumber: phoneNumber ?? null };
      found.push({ ...common, type: "device.status", data });
    }
    if (qr) {
      found.push({ ...common, type: "device.qr", data: { qrCode: qr.code, expiresAt: qr.expiresAt.toISOString() } });
    }
    return found;
  }
}
