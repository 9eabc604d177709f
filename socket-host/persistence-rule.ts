import { listAllowed } from "../shared/db/allowed-numbers.ts";
import type { Database } from "../shared/db/pool.ts";
import type { Link } from "../shared/db/sessions.ts";
import type { DeviceId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import { groupWork } from "../shared/group-work.ts";

/** Whether messages of a number may be kept now. Never rejects: what cannot be told is no. */
export type PersistenceRule = (link: Link) => Promise<boolean>;

/** How long what is recorded waits for the answer; and for how long nobody asks again after there was none. */
const PATIENCE_MS = 500;
const PAUSE_MS = 5_000;
const MAX_TOGETHER = 200;

/**
 * The rule for all devices of a host: messages are kept only for numbers that are allowed, as of now.
 * @param database one of its own, that waits for no lock: whatever holds up the table of allowed numbers must hold up
 *   nothing else
 */
export function persistenceRule(database: Database, log: Log): PersistenceRule {
  let pausedUntil = 0;
  const pause = (err: unknown) => {
    if (performance.now() >= pausedUntil) log.error({ err }, "allowed numbers not read, messages are not kept");
    pausedUntil = performance.now() + PAUSE_MS;
    return false;
  };
  const ask = groupWork(async (links: readonly Link[]) => {
    const allowed: Set<DeviceId> = await listAllowed(database, links);
    return ({ deviceId }) => allowed.has(deviceId);
  }, MAX_TOGETHER);
  return async (link) => {
    if (performance.now() < pausedUntil) return false;
    return await inTime(ask(link)).catch(pause);
  };
}

async function inTime(answer: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
