import * as z from "zod";
import { ALL_DEVICES, isFinished } from "../../shared/commands.ts";
import * as devices from "../../shared/db/devices.ts";
import { dispatch } from "../../shared/dispatch.ts";
import { ApiError } from "../../shared/errors.ts";
import type { DeviceId, UserId } from "../../shared/ids.ts";
import { commandFailure } from "../command-failure.ts";
import { finishedCommand } from "../finished-command.ts";
import { isFor } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { pendingAnswer, toPendingCommand } from "../schemas/command.ts";
import { deviceParams } from "../schemas/device.ts";

const BASE = "/api/whatsapp-multi-device/devices";
const tag = "Connection";

const session = z
  .object({
    deviceId: z.string(),
    isRestored: z.boolean().meta({ description: "Its session is there, and it is being connected." }),
    isNew: z.boolean().meta({ description: "The device was missing and has been registered." }),
    reason: z.string().nullable().meta({
      description:
        "Why it was not restored: `already_connected`, `disconnected` (somebody wanted it so; restore it by its id or connect it), `no_session`, `state_unreadable`, `device_exists` (the id is another user's now).",
    }),
  })
  .meta({ id: "RestoredSession" });
const sessions = z.object({ sessions: z.array(session) });
const example = { deviceId: "device-001", isRestored: true, isNew: false, reason: null };

/** Any host can look into the bucket, so any queue will do. */
async function restore(call: Call, userId: UserId, deviceIds: DeviceId[] | null) {
  const { config, database, queues } = call.services;
  const shard = Math.floor(Math.random() * queues.shards);
  const target = { deviceId: ALL_DEVICES, userId, shard };
  const { command } = await dispatch(call.services, target, { kind: "restore", deviceIds });
  const latest = await finishedCommand(database, command, config.syncWaitMs, call.isAbandoned);
  if (latest.state === "failed") throw commandFailure(latest);
  return isFinished(latest.state)
    ? { command: latest, sessions: sessions.parse(latest.result).sessions }
    : { command: latest };
}

const restoreAll = route({
  name: "restoreSessions",
  method: "post",
  path: `${BASE}/restore`,
  tag,
  scope: "devices:write",
  summary: "Restore stored sessions",
  description:
    "Looks for every session that is stored for the caller, registers devices that are missing, and connects those that should be connected, one after the other. Answers what was restored and what was not, and why; `GET …/devices` then shows them connecting. At most 1,000.",
  answers: {
    200: answer({ id: "Session yang tersimpan dipulihkan", en: "Stored sessions were restored" }, sessions, {
      sessions: [example, { deviceId: "device-002", isRestored: false, isNew: false, reason: "already_connected" }],
    }),
    202: pendingAnswer,
  },
  audit: { action: "device.restore", target: "deviceId" },
  errors: ["refused_by_whatsapp"],
  async handle(_input, call) {
    const { userId, deviceIds } = call.caller;
    const outcome = await restore(call, userId, deviceIds && [...deviceIds]);
    if (!outcome.sessions) return { status: 202, data: toPendingCommand(outcome.command) };
    return { status: 200, data: { sessions: outcome.sessions } };
  },
});

const restoreOne = route({
  name: "restoreSession",
  method: "post",
  path: `${BASE}/:deviceId/restore`,
  tag,
  scope: "devices:write",
  summary: "Restore one stored session",
  description:
    "As restoring all, for one device, which is connected also if it had been disconnected. 404 when there is neither such a device nor a session stored under that id.",
  params: deviceParams,
  answers: {
    200: answer({ id: "Session yang tersimpan dipulihkan", en: "The stored session was restored" }, session, example),
    202: pendingAnswer,
  },
  audit: { action: "device.restore", target: "deviceId" },
  errors: ["device_not_found", "refused_by_whatsapp"],
  async handle({ params }, call) {
    const { caller, services } = call;
    const { deviceId } = params;
    if (!isFor(caller, deviceId)) throw new ApiError("device_not_found");
    const device = await devices.get(services.database, caller, deviceId);
    const outcome = await restore(call, device?.userId ?? caller.userId, [deviceId]);
    if (!outcome.sessions) return { status: 202, data: toPendingCommand(outcome.command) };
    const [found] = outcome.sessions;
    if (!found || (!device && !found.isRestored)) throw new ApiError("device_not_found");
    return { status: 200, data: found };
  },
});

export const restoreRoutes: Route[] = [restoreAll, restoreOne];
