import * as devices from "../shared/db/devices.ts";
import type { Device } from "../shared/db/devices.ts";
import { ApiError } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";
import type { DeviceId, UserId } from "../shared/ids.ts";
import type { Call, Caller } from "./route.ts";

type Context = Pick<Call, "services" | "caller">;
/** What hangs on a device and may outlive it. `userId` is whom the device belonged to when the row was made. */
type RowOfDevice = { deviceId: DeviceId; userId: UserId };

/**
 * A device that the caller may use: their own, one that was given to them, any for an administrator, within what their
 * token is for. Throws `device_not_found` also for another: that it exists is nobody else's business.
 */
export async function ownDevice({ services, caller }: Context, deviceId: DeviceId): Promise<Device> {
  const device = await devices.get(services.database, caller, deviceId);
  if (!device) throw new ApiError("device_not_found");
  return device;
}

/**
 * Several devices that a body lists in `deviceIds`, all of which the caller may use. Throws `device_not_found` and names
 * those that they may not.
 */
export async function ownDevices({ services, caller }: Context, deviceIds: readonly DeviceId[]): Promise<void> {
  if (!deviceIds.length) return;
  const visible = new Set((await devices.list(services.database, caller)).map(({ deviceId }) => deviceId));
  const details = deviceIds.flatMap((deviceId, index) =>
    visible.has(deviceId) ? [] : [{ path: `body.deviceIds.${index}`, message: deviceId }],
  );
  if (details.length) throw new ApiError("device_not_found", details);
}

/**
 * A row that hangs on a device (a command, a job, a schedule, …), if the caller may use that device. Also after the
 * device was removed, for whom it belonged to; never because somebody has since made a device of the same id.
 * Throws `notFound`.
 */
export async function ownRow<Row extends RowOfDevice>(
  { services, caller }: Context,
  row: Row | undefined,
  notFound: ErrorCode,
): Promise<Row> {
  if (!row || !isFor(caller, row.deviceId)) throw new ApiError(notFound);
  if (caller.role === "admin" || row.userId === caller.userId) return row;
  const device = await devices.get(services.database, caller, row.deviceId);
  if (device?.userId !== row.userId) throw new ApiError(notFound);
  return row;
}

/** Whether the caller's token is for devices of this id. */
export const isFor = ({ deviceIds }: Caller, deviceId: DeviceId) => deviceIds?.includes(deviceId) !== false;
