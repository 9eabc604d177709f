import * as devices from "../shared/db/devices.ts";
import type { Device } from "../shared/db/devices.ts";
import { ApiError } from "../shared/errors.ts";
import type { DeviceId } from "../shared/ids.ts";
import type { Call } from "./route.ts";

/** The caller's device. Throws `device_not_found` also for another user's: that it exists is nobody else's business. */
export async function ownDevice({ services, caller }: Call, deviceId: DeviceId): Promise<Device> {
  const device = await devices.get(services.database, caller.userId, deviceId);
  if (!device) throw new ApiError("device_not_found");
  return device;
}
