import type { DeviceId, UserId } from "../ids.ts";
import type { Role } from "./users.ts";

/** Who looks. `deviceIds`: the only devices that their token is for; null when it is for all of theirs. */
export type Viewer = { userId: UserId; role: Role; deviceIds: readonly DeviceId[] | null };

/**
 * The condition under which a row of `devices d` may be seen: it is the viewer's own, or was given to them, or they are
 * an administrator; and their token is for it. The one place that says so: every statement about devices on behalf of a
 * caller has it in its WHERE.
 */
export function visibleDevices({ userId, role, deviceIds }: Viewer): { sql: string; values: string[] } {
  const given = "SELECT 1 FROM device_grants g WHERE g.user_id = ? AND g.device_id = d.device_id";
  const theirs = role === "admin" ? "TRUE" : `(d.user_id = ? OR EXISTS (${given}))`;
  const values = role === "admin" ? [] : [userId, userId];
  if (deviceIds === null) return { sql: theirs, values };
  if (!deviceIds.length) return { sql: "FALSE", values: [] };
  return {
    sql: `${theirs} AND d.device_id IN (${deviceIds.map(() => "?").join(",")})`,
    values: [...values, ...deviceIds],
  };
}

/** The same of any number of viewers at once: the device `d` may be seen by the user `u`. */
export const VISIBLE_TO_USER = `(u.role = 'admin' OR d.user_id = u.user_id
  OR EXISTS (SELECT 1 FROM device_grants g WHERE g.user_id = u.user_id AND g.device_id = d.device_id))`;
