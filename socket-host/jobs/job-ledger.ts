import * as devices from "../../shared/db/devices.ts";
import * as jobItems from "../../shared/db/job-items.ts";
import type { JobItem } from "../../shared/db/job-items.ts";
import * as jobs from "../../shared/db/jobs.ts";
import { transaction } from "../../shared/db/pool.ts";
import type { Database } from "../../shared/db/pool.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import type { DeviceId } from "../../shared/ids.ts";
import type { Outgoing, SendBook, SendLedger, Sent } from "../send-ledger.ts";

/** Refusals that are about the account: to go on with the next recipient would make it worse. */
const ABOUT_ACCOUNT: readonly ErrorCode[] = ["recipient_restricted", "too_many_requests"];

function idOf({ origin }: Pick<Sent, "origin">) {
  if (!("jobId" in origin)) throw new Error("a message of another ledger");
  return { jobId: origin.jobId, index: origin.itemIndex };
}

/** The items of all devices' jobs, as rows that ask for a message each. */
export const jobBook: SendBook = {
  async find(runner, wanted) {
    const found = await jobItems.listByMessageId(runner, wanted);
    return found.map(({ jobId, deviceId, index, messageId, recipient, payload }) => ({
      deviceId,
      messageId,
      to: payload ? recipient : null,
      origin: { jobId, itemIndex: index },
      trace: null,
    }));
  },
  async accept(runner, messages, _at, held) {
    for (const message of messages) await jobItems.settle(runner, held, idOf(message), { state: "accepted" });
  },
  async refuse(runner, message, refusal, held) {
    const id = idOf(message);
    await jobItems.settle(runner, held, id, { state: "failed", ...refusal });
    const job = ABOUT_ACCOUNT.includes(refusal.errorCode) ? await jobs.lock(runner, id.jobId) : undefined;
    if (job) await jobs.pauseFor(runner, held, job, refusal);
  },
  async markReceived(runner, told) {
    const news: (typeof told)[number][] = [];
    for (const one of told) {
      if (await jobItems.markReceived(runner, idOf(one.row), one.reached)) news.push(one);
    }
    return news;
  },
};

/** The items of one device's jobs as a ledger of what is sent. */
export function jobLedger(database: Database, deviceId: DeviceId, epoch: number): SendLedger {
  const ledger: SendLedger = {
    book: jobBook,
    async listUnresolved() {
      const open = await jobItems.listUnresolved(database, deviceId);
      return open.flatMap((item) => itemMessage(item, ledger) ?? []);
    },
    start: (message) => jobItems.beginAgain(database, { deviceId, ...idOf(message) }, epoch),
    markUnknown: (message) => jobItems.markUnknown(database, { deviceId, ...idOf(message) }, epoch),
    async abandon() {
      const outcome = { state: "failed", errorCode: "outcome_unknown" } as const;
      for (const item of await jobItems.listUnresolved(database, deviceId)) {
        await transaction(database, async (runner) => {
          const held = await devices.hold(runner, [{ deviceId, epoch }], "waited for");
          if (held.size) await jobItems.settle(runner, held, item, outcome);
        });
      }
    },
  };
  return ledger;
}

/** The message of an item; undefined when it has an outcome. */
export function itemMessage({ jobId, index, messageId, payload }: JobItem, ledger: SendLedger): Outgoing | undefined {
  if (!payload) return undefined;
  return { messageId, to: payload.to, content: payload, origin: { jobId, itemIndex: index }, trace: null, ledger };
}
