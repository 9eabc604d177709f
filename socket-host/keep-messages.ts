import * as messages from "../shared/db/messages.ts";
import type { Runner } from "../shared/db/pool.ts";
import * as sessions from "../shared/db/sessions.ts";
import type { DeviceId } from "../shared/ids.ts";
import type { KeptMessages } from "./device-history.ts";
import { reachedBy } from "./reached-by.ts";
import type { Asked } from "./send-ledger.ts";
import type { Receipt } from "./whatsapp/decode/receipt.ts";

type Received = Pick<Receipt, "messageIds" | "status"> & { deviceId: DeviceId };

/**
 * Rows of own messages of devices that may keep them: of those that the server has taken, once each, and how far those have
 * got that receipts came for.
 * @param accepted its row is finished already where `to` is null
 */
export async function keepMessages(
  runner: Runner,
  kept: ReadonlyMap<DeviceId, KeptMessages>,
  accepted: readonly Asked[],
  received: readonly Received[],
): Promise<void> {
  if (!kept.size) return;
  const ids = await sessions.idsOf(
    runner,
    [...kept.values()].map(({ link }) => link),
  );
  const rows = accepted.flatMap(({ deviceId, messageId, to }) => {
    const sessionId = ids.get(deviceId);
    const message = to === null ? undefined : kept.get(deviceId)?.messageOf(messageId);
    return sessionId !== undefined && message ? [{ sessionId, message }] : [];
  });
  await messages.keep(runner, rows);
  for (const [sessionId, ofSession] of bySession(received, ids)) {
    for (const reached of ["delivered", "read"] as const) {
      const told = ofSession.filter(({ status }) => reachedBy(status) === reached);
      const messageIds = told.flatMap((one) => one.messageIds);
      if (messageIds.length) await messages.setReached(runner, sessionId, messageIds, reached);
    }
  }
}

function bySession(received: readonly Received[], ids: ReadonlyMap<DeviceId, number>): Map<number, Received[]> {
  const found = new Map<number, Received[]>();
  for (const one of received) {
    const sessionId = ids.get(one.deviceId);
    if (sessionId !== undefined) found.set(sessionId, [...(found.get(sessionId) ?? []), one]);
  }
  return found;
}
