import * as jobItems from "../../shared/db/job-items.ts";
import type { JobItem } from "../../shared/db/job-items.ts";
import * as devices from "../../shared/db/devices.ts";
import * as jobs from "../../shared/db/jobs.ts";
import type { Job } from "../../shared/db/jobs.ts";
import { transaction } from "../../shared/db/pool.ts";
import type { Database } from "../../shared/db/pool.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import type { DeviceId } from "../../shared/ids.ts";
import type { Log } from "../../shared/log.ts";
import type { Device } from "../device.ts";
import type { DeviceLine } from "../device-lines.ts";
import { recipientRefusal } from "../recipient-refusal.ts";
import type { Refusal } from "../refusal.ts";
import { WokenLoop } from "../woken-loop.ts";
import { prepare } from "../media/prepare.ts";
import { itemMessage, jobLedger } from "./job-ledger.ts";

type Options = {
  deviceId: DeviceId;
  database: Database;
  /** The device, as long as this host holds it. */
  device: () => Device | undefined;
  log: Log;
};

/** How long a job waits for its device to come back; then it is paused. */
const OFFLINE_WAIT_MS = 300_000;
/** How long an item waits for those before it that have no outcome, so that they arrive in order. */
const UNRESOLVED_WAIT_MS = 30_000;
const LOOK_MS = 200;
/** Without a delay of its own, a job takes a random one. */
const SHORTEST_DELAY_MS = 2_000;
const LONGEST_DELAY_MS = 5_000;
/** An item that fails in unforeseen ways again and again must not stop the rest. */
const MAX_TRIES = 5;

/**
 * The jobs of one device: items one after the other, each begun only if its job runs at that moment. What was begun on a
 * host that died is sent again by the outbox, under the same id; the next item waits for that. Holds one item at a time.
 */
export class JobLine implements DeviceLine {
  readonly #options: Options;
  readonly #loop: WokenLoop;
  /** When the next item of this job may begin, on the monotonic clock. */
  #pace: { jobId: Job["jobId"]; dueAt: number } | undefined;
  /** Messages without an outcome that were waited for long enough: they may stay so until the next login. */
  readonly #passed = new Set<string>();
  #failures: { messageId: string; tries: number } | undefined;

  constructor(options: Options) {
    this.#options = options;
    const { deviceId, log } = options;
    this.#loop = new WokenLoop({
      step: () => this.#step(),
      onError: (err) => log.error({ err, deviceId }, "job not continued, trying again"),
    });
  }

  wake(): void {
    this.#loop.wake();
  }

  stop(): void {
    this.#loop.stop();
  }

  /** False: there is nothing to do, or not here. */
  async #step(): Promise<boolean> {
    const { database, deviceId, device } = this.#options;
    const job = await jobs.next(database, deviceId);
    if (!job) return false;
    const waitMs = this.#pace?.jobId === job.jobId ? this.#pace.dueAt - performance.now() : 0;
    if (waitMs > 0) {
      await this.#loop.sleep(waitMs);
      return true;
    }
    const item = await jobItems.next(database, job.jobId);
    const owner = device();
    if (!owner) return false;
    return item ? await this.#send(owner, job, item) : true;
  }

  async #send(device: Device, job: Job, item: JobItem): Promise<boolean> {
    const { database, deviceId } = this.#options;
    const opened = await device.whenOpen(OFFLINE_WAIT_MS);
    if (opened === "gone" || this.#loop.isStopped) return false;
    if (opened === "closed") return await this.#pause(device, job, "not_connected");
    await this.#settleEarlier();
    try {
      const refusal =
        (await recipientRefusal(device, item.recipient)) ?? (item.payload && (await prepare(device, item.payload)));
      if (refusal) return await this.#fail(device, job, item, refusal);
    } catch (err) {
      if (this.#isTriedOut(item)) return await this.#fail(device, job, item, { errorCode: "unavailable" });
      throw err;
    }
    const message = itemMessage(item, jobLedger(database, deviceId, device.epoch));
    const begun = message ? await jobItems.begin(database, item, device.epoch) : "no";
    if (begun === "fenced") return false;
    if (!message || begun === "no") return true;
    this.#startPace(job);
    const sent = await device.send(message);
    await sent?.finished;
    return true;
  }

  async #pause(device: Device, job: Job, errorCode: ErrorCode): Promise<boolean> {
    const { database } = this.#options;
    return await transaction(database, async (runner) => {
      const held = await devices.hold(runner, [device], "waited for");
      if (!held.size) return false;
      const latest = await jobs.lock(runner, job.jobId);
      if (latest) await jobs.pauseFor(runner, held, latest, { errorCode });
      return true;
    });
  }

  async #fail(device: Device, job: Job, item: JobItem, refusal: Refusal): Promise<boolean> {
    const { database } = this.#options;
    const begun = await jobItems.begin(database, item, device.epoch);
    if (begun === "fenced") return false;
    this.#startPace(job);
    if (begun === "no") return true;
    await transaction(database, async (runner) => {
      const held = await devices.hold(runner, [device], "waited for");
      if (held.size) await jobItems.settle(runner, held, item, { state: "failed", ...refusal });
    });
    return true;
  }

  /** What was begun and has no outcome may be on its way, or be sent again just now. */
  async #settleEarlier(): Promise<void> {
    const { database, deviceId } = this.#options;
    const deadline = performance.now() + UNRESOLVED_WAIT_MS;
    while (!this.#loop.isStopped) {
      const open = await jobItems.listUnresolved(database, deviceId);
      if (!open.length) this.#passed.clear();
      const waiting = open.filter(({ messageId }) => !this.#passed.has(messageId));
      if (!waiting.length) return;
      if (performance.now() >= deadline) waiting.forEach(({ messageId }) => this.#passed.add(messageId));
      else await this.#loop.sleep(LOOK_MS);
    }
  }

  #isTriedOut({ messageId }: JobItem): boolean {
    const tries = this.#failures?.messageId === messageId ? this.#failures.tries + 1 : 1;
    this.#failures = { messageId, tries };
    return tries >= MAX_TRIES;
  }

  #startPace({ jobId, delayMs }: Job): void {
    const random = SHORTEST_DELAY_MS + Math.random() * (LONGEST_DELAY_MS - SHORTEST_DELAY_MS);
    this.#pace = { jobId, dueAt: performance.now() + (delayMs ?? random) };
  }
}
