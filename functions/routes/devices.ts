import * as z from "zod";
import { isFinished } from "../../shared/commands.ts";
import * as devices from "../../shared/db/devices.ts";
import { dispatch } from "../../shared/dispatch.ts";
import { ApiError } from "../../shared/errors.ts";
import { commandFailure } from "../command-failure.ts";
import { finishedCommand } from "../finished-command.ts";
import { findReplay, idempotency, IDEMPOTENCY_REPLAYED, idempotencyKey } from "../idempotency.ts";
import type { BrokenRule } from "../issue.ts";
import { localTime } from "../local-time.ts";
import { isFor, ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { pendingAnswer, toPendingCommand } from "../schemas/command.ts";
import { deviceExample, deviceId, deviceParams, deviceView, toDeviceView } from "../schemas/device.ts";

const BASE = "/api/whatsapp-multi-device/devices";
const tag = "Devices";

/** `GET /devices/connected` lists devices: one of that name could not be asked for. */
const RESERVED_ID = "connected";
const RESERVED: BrokenRule = { sentence: { id: "adalah kata yang dicadangkan", en: "is a reserved word" } };

const OTHER_DEVICES = { path: "body.deviceId", message: "the token is for other devices" };
const NOT_OWNER = { path: "params.deviceId", message: "only its owner or an administrator may remove it" };

/** How long a removal waits for the host to close the socket; without a living host the device goes all the same. */
const FORGET_WAIT_MS = 5_000;

const createDevice = route({
  name: "createDevice",
  method: "post",
  path: BASE,
  tag,
  scope: "devices:write",
  summary: "Create a device",
  description:
    "Registers a device in state `created`, not connected. A `deviceId` is unique in the whole installation.",
  headers: z.object({ "idempotency-key": idempotencyKey.optional() }),
  body: z.object({
    deviceId: deviceId.refine((value) => value !== RESERVED_ID, { params: RESERVED }),
    deviceName: z.string().max(100).nullish(),
  }),
  bodyExample: { deviceId: "device-001", deviceName: "Device Utama" },
  answers: {
    201: answer({ id: "Device berhasil dibuat", en: "The device was created" }, deviceView, {
      ...deviceExample,
      status: "created",
      isConnected: false,
      phoneNumber: null,
      lastActivity: null,
    }),
  },
  audit: { action: "device.create", target: "deviceId" },
  errors: ["forbidden", "device_exists", "idempotency_mismatch"],
  async handle({ headers, body }, call) {
    const { database, queues } = call.services;
    const { userId } = call.caller;
    if (!isFor(call.caller, body.deviceId)) throw new ApiError("forbidden", [OTHER_DEVICES]);
    const once = idempotency(headers["idempotency-key"], call);
    const device = { deviceId: body.deviceId, userId, deviceName: body.deviceName || null };
    const isNew = await devices.create(database, { ...device, ...(once && { idempotency: once }) }, queues.shards);
    if (!isNew && !(await findReplay(once, (key) => devices.getCreation(database, userId, key))))
      throw new ApiError("device_exists");
    const data = toDeviceView(await ownDevice(call, body.deviceId));
    return { status: 201, data, ...(!isNew && { headers: IDEMPOTENCY_REPLAYED }) };
  },
});

const listDevices = route({
  name: "listDevices",
  method: "get",
  path: BASE,
  tag,
  scope: "devices:read",
  polled: true,
  summary: "List devices",
  description:
    "Every device that the caller may use, oldest first. `createdToday` counts by the day in `APP_TIMEZONE`.",
  answers: {
    200: answer(
      { id: "Daftar device", en: "The devices" },
      z.object({
        devices: z.array(deviceView),
        stats: z.object({
          total: z.int(),
          connected: z.int(),
          disconnected: z.int(),
          withPhoneNumber: z.int(),
          createdToday: z.int(),
        }),
      }),
      {
        devices: [deviceExample],
        stats: { total: 1, connected: 1, disconnected: 0, withPhoneNumber: 1, createdToday: 1 },
      },
    ),
  },
  errors: [],
  async handle(_input, { services, caller }) {
    const all = await devices.list(services.database, caller);
    const dayStart = localTime(services.config.timeZone).startOfDay(new Date());
    return { status: 200, data: { devices: all.map(toDeviceView), stats: devices.stats(all, dayStart) } };
  },
});

const connectedDevices = (name: string, path: string) =>
  route({
    name,
    method: "get",
    path,
    tag,
    scope: "devices:read",
    polled: true,
    summary: "List connected devices",
    description: "Only the devices that are connected now. `/connected` and `/connected/detail` answer the same.",
    answers: {
      200: answer(
        { id: "Daftar device yang terhubung", en: "The connected devices" },
        z.object({ devices: z.array(deviceView), total: z.int() }),
        { devices: [deviceExample], total: 1 },
      ),
    },
    errors: [],
    async handle(_input, { services, caller }) {
      const all = await devices.list(services.database, caller);
      const connected = all.filter((device) => device.isConnected).map(toDeviceView);
      return { status: 200, data: { devices: connected, total: connected.length } };
    },
  });

const getDevice = route({
  name: "getDevice",
  method: "get",
  path: `${BASE}/:deviceId`,
  tag,
  scope: "devices:read",
  polled: true,
  summary: "Look at a device",
  description: "One device. `/status` has the QR code too.",
  params: deviceParams,
  answers: { 200: answer({ id: "Informasi device", en: "The device" }, deviceView, deviceExample) },
  errors: ["device_not_found"],
  async handle({ params }, call) {
    return { status: 200, data: toDeviceView(await ownDevice(call, params.deviceId)) };
  },
});

const removeDevice = route({
  name: "removeDevice",
  method: "delete",
  path: `${BASE}/:deviceId`,
  tag,
  scope: "devices:write",
  summary: "Remove a device",
  description:
    "Takes the device out of the registry and closes its socket, without logging it out of WhatsApp. What is stored of it stays, to be restored later, unless `wipe=true`: then it is deleted first, and 202 says that this takes longer. Only for its owner and administrators: whom it was given to may do everything else with it.",
  params: deviceParams,
  query: z.object({
    wipe: z
      .stringbool()
      .default(false)
      .meta({ type: "boolean", default: false, description: "Whether the stored session and chats are deleted too." }),
  }),
  answers: {
    200: answer({ id: "Device berhasil dihapus", en: "The device was removed" }, z.object({ deviceId: z.string() }), {
      deviceId: "device-001",
    }),
    202: pendingAnswer,
  },
  audit: { action: "device.remove", target: "deviceId" },
  errors: ["device_not_found", "forbidden", "refused_by_whatsapp"],
  async handle({ params, query }, call) {
    const { config, database } = call.services;
    const device = await ownDevice(call, params.deviceId);
    const { caller } = call;
    if (device.userId !== caller.userId && caller.role !== "admin") throw new ApiError("forbidden", [NOT_OWNER]);
    if (query.wipe) {
      // Its host removes the row, when nothing is left that would have to be found again.
      const dispatched = await dispatch(call.services, device, { kind: "wipe", isRemoved: true });
      const command = await finishedCommand(database, dispatched.command, config.syncWaitMs, call.isAbandoned);
      if (command.state === "failed") throw commandFailure(command);
      if (!isFinished(command.state)) return { status: 202, data: toPendingCommand(command) };
      return { status: 200, data: { deviceId: device.deviceId } };
    }
    const { command } = await dispatch(call.services, device, { kind: "forget" });
    await finishedCommand(database, command, Math.min(FORGET_WAIT_MS, config.syncWaitMs), call.isAbandoned);
    await devices.remove(database, device);
    return { status: 200, data: { deviceId: device.deviceId } };
  },
});

/** Those with a fixed segment come before `:deviceId`, which would match them. */
export const deviceRoutes: Route[] = [
  createDevice,
  listDevices,
  connectedDevices("listConnectedDevices", `${BASE}/connected`),
  connectedDevices("listConnectedDevicesInDetail", `${BASE}/connected/detail`),
  getDevice,
  removeDevice,
];
