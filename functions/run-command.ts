import { isFinished } from "../shared/commands.ts";
import type { CommandPayload } from "../shared/commands.ts";
import type { Command } from "../shared/db/commands.ts";
import { dispatch, findReplay } from "../shared/dispatch.ts";
import { ApiError } from "../shared/errors.ts";
import type { DeviceId } from "../shared/ids.ts";
import { commandFailure } from "./command-failure.ts";
import { finishedCommand } from "./finished-command.ts";
import { idempotency, IDEMPOTENCY_REPLAYED } from "./idempotency.ts";
import { maySend } from "./may-send.ts";
import { ownDevice } from "./own-device.ts";
import type { Call } from "./route.ts";
import { toPendingCommand } from "./schemas/command.ts";
import { PREFERENCE_APPLIED } from "./schemas/prefer.ts";
import type { CommandHeaders } from "./schemas/command-headers.ts";

/**
 * Has the device's host do something on WhatsApp, once for each Idempotency-Key, and waits for it.
 * @param asked `payload` may be made only when it is needed: not for a key that was used before, nor for a device that
 *   cannot send. The time that it takes is taken from the waiting.
 * @returns what `finished` makes of the command; a 202 when that takes too long, was not to be waited for, or when
 *   `finished` says undefined
 */
export async function runCommand<Data>(
  call: Call,
  deviceId: DeviceId,
  asked: { payload: CommandPayload | (() => Promise<CommandPayload>); headers: CommandHeaders },
  finished: (command: Command) => Data | undefined,
) {
  const { services, isAbandoned } = call;
  const { payload, headers } = asked;
  const startedAt = performance.now();
  const device = await ownDevice(call, deviceId);
  const once = idempotency(headers["idempotency-key"], call);
  // What was accepted before stays accepted, also if the device has been disconnected since.
  const replay = once && (await findReplay(services, device, once));
  if (!replay && !maySend(device)) throw new ApiError("not_connected");
  const make = async () =>
    await dispatch(services, device, typeof payload === "function" ? await payload() : payload, once);
  const dispatched = replay ?? (await make());
  if (dispatched.outcome === "mismatch") throw new ApiError("idempotency_mismatch");
  if (dispatched.outcome === "full") throw new ApiError("too_many_requests");

  const replayed = dispatched.isReplay ? IDEMPOTENCY_REPLAYED : {};
  if (headers.prefer) {
    const data = toPendingCommand(dispatched.command);
    return { status: 202 as const, data, headers: { ...replayed, ...PREFERENCE_APPLIED } };
  }
  const { database, config } = services;
  const spentMs = typeof payload === "function" ? performance.now() - startedAt : 0;
  const waitMs = Math.max(0, config.syncWaitMs - spentMs);
  const command = await finishedCommand(database, dispatched.command, waitMs, isAbandoned);
  if (command.state === "failed") return { failure: commandFailure(command), headers: replayed };
  const data = isFinished(command.state) ? finished(command) : undefined;
  return data === undefined
    ? { status: 202 as const, data: toPendingCommand(command), headers: replayed }
    : { status: 200 as const, data, headers: replayed };
}
