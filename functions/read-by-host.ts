import type * as z from "zod";
import { isFinished } from "../shared/commands.ts";
import type { ReadingPayload } from "../shared/commands.ts";
import { dispatch } from "../shared/dispatch.ts";
import { ApiError } from "../shared/errors.ts";
import type { DeviceId } from "../shared/ids.ts";
import { takeResult } from "../shared/results.ts";
import { commandFailure } from "./command-failure.ts";
import { finishedCommand } from "./finished-command.ts";
import { ownDevice } from "./own-device.ts";
import type { Call } from "./route.ts";
import { toPendingCommand } from "./schemas/command.ts";

/**
 * Lets the device's host read, and takes its answer away from the bucket: a 200, or a 202 when that takes too long.
 * Throws the failure otherwise.
 */
export async function readByHost<Data extends z.ZodType>(
  call: Call,
  deviceId: DeviceId,
  payload: ReadingPayload,
  schema: Data,
) {
  const { services, isAbandoned } = call;
  const device = await ownDevice(call, deviceId);
  const dispatched = await dispatch(services, device, payload);
  const { database, config, media } = services;
  const command = await finishedCommand(database, dispatched.command, config.syncWaitMs, isAbandoned);
  if (command.state === "failed") throw commandFailure(command);
  if (!isFinished(command.state)) return { status: 202 as const, data: toPendingCommand(command) };
  const { success, data } = schema.safeParse(await takeResult(media, command.result));
  if (!success) throw new ApiError("internal");
  return { status: 200 as const, data: data as z.input<Data> };
}
