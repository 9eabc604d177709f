import * as z from "zod";
import { isFinished } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import { dispatch } from "../../shared/dispatch.ts";
import { commandFailure } from "../command-failure.ts";
import { finishedCommand } from "../finished-command.ts";
import { isConnectSettled } from "../is-connect-settled.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { pendingAnswer, toPendingCommand } from "../schemas/command.ts";
import { deviceParams, deviceState, deviceStateExample, toDeviceState } from "../schemas/device.ts";
import { wait } from "../wait.ts";

const DEVICE = "/api/whatsapp-multi-device/devices/:deviceId";
const tag = "Connection";

const getStatus = route({
  name: "getDeviceStatus",
  method: "get",
  path: `${DEVICE}/status`,
  tag,
  scope: "devices:read",
  polled: true,
  summary: "Live status of a device",
  description: "What is true now, with the QR code while there is one to be scanned.",
  params: deviceParams,
  answers: { 200: answer({ id: "Status device", en: "The status of the device" }, deviceState, deviceStateExample) },
  errors: ["device_not_found"],
  async handle({ params }, call) {
    return { status: 200, data: toDeviceState(await ownDevice(call, params.deviceId)) };
  },
});

const connect = route({
  name: "connectDevice",
  method: "post",
  path: `${DEVICE}/connect`,
  tag,
  scope: "devices:write",
  summary: "Connect a device",
  description:
    "With a stored session it opens without a QR code; without one a QR code appears. Answers with the state that was reached: `connected`, or `connecting` with `qrCode`. 202 when neither was reached within `SYNC_WAIT_MS`.",
  params: deviceParams,
  answers: {
    200: answer(
      { id: "Proses koneksi berjalan", en: "The device is connecting or connected" },
      deviceState,
      deviceStateExample,
    ),
    202: pendingAnswer,
  },
  audit: { action: "device.connect", target: "deviceId" },
  errors: ["device_not_found", "not_connected", "refused_by_whatsapp"],
  async handle({ params }, call) {
    const { config, database } = call.services;
    const own = await ownDevice(call, params.deviceId);
    let { command } = await dispatch(call.services, own, { kind: "connect" });
    const look = async () => {
      command = (await commands.get(database, command.commandId)) ?? command;
      const device = await ownDevice(call, params.deviceId);
      return isConnectSettled(command, device) ? device : undefined;
    };
    const device = await wait(look, config.syncWaitMs, call.isAbandoned);
    if (command.state === "failed") throw commandFailure(command);
    return device ? { status: 200, data: toDeviceState(device) } : { status: 202, data: toPendingCommand(command) };
  },
});

const disconnect = route({
  name: "disconnectDevice",
  method: "delete",
  path: `${DEVICE}/disconnect`,
  tag,
  scope: "devices:write",
  summary: "Disconnect a device",
  description:
    "Logs the device out of WhatsApp and closes its socket. With `logout=false` it only closes the socket: the link stays, and connecting again needs no QR code.",
  params: deviceParams,
  query: z.object({
    logout: z
      .stringbool()
      .default(true)
      .meta({ type: "boolean", default: true, description: "Whether WhatsApp forgets the link." }),
  }),
  answers: {
    200: answer({ id: "Device berhasil diputus", en: "The device was disconnected" }, deviceState, {
      ...deviceStateExample,
      status: "disconnected",
      isConnected: false,
    }),
    202: pendingAnswer,
  },
  audit: { action: "device.disconnect", target: "deviceId" },
  errors: ["device_not_found", "refused_by_whatsapp"],
  async handle({ params, query }, call) {
    const { config, database } = call.services;
    const device = await ownDevice(call, params.deviceId);
    const dispatched = await dispatch(call.services, device, { kind: "disconnect", logout: query.logout });
    const command = await finishedCommand(database, dispatched.command, config.syncWaitMs, call.isAbandoned);
    if (command.state === "failed") throw commandFailure(command);
    if (!isFinished(command.state)) return { status: 202, data: toPendingCommand(command) };
    return { status: 200, data: toDeviceState(await ownDevice(call, params.deviceId)) };
  },
});

const wipe = (name: string, method: "post" | "delete", path: string) =>
  route({
    name,
    method,
    path,
    tag,
    scope: "devices:write",
    summary: "Cancel and wipe",
    description:
      "Stops connecting and reconnecting and deletes what is stored of the device: its WhatsApp session and its chats. The device becomes `cancelled`, and nothing connects it until somebody does. It does not log out: the phone shows the linked device until it is removed there. `POST …/cancel-and-wipe` and `DELETE …/session` do the same.",
    params: deviceParams,
    answers: {
      200: answer({ id: "Session device berhasil dihapus", en: "The session of the device was deleted" }, deviceState, {
        deviceId: "device-001",
        status: "cancelled",
        statusReason: null,
        isConnected: false,
        connectionAttempts: 0,
      }),
      202: pendingAnswer,
    },
    audit: { action: "device.wipe", target: "deviceId" },
    errors: ["device_not_found", "refused_by_whatsapp"],
    async handle({ params }, call) {
      const { config, database } = call.services;
      const device = await ownDevice(call, params.deviceId);
      const dispatched = await dispatch(call.services, device, { kind: "wipe", isRemoved: false });
      const command = await finishedCommand(database, dispatched.command, config.syncWaitMs, call.isAbandoned);
      if (command.state === "failed") throw commandFailure(command);
      if (!isFinished(command.state)) return { status: 202, data: toPendingCommand(command) };
      return { status: 200, data: toDeviceState(await ownDevice(call, params.deviceId)) };
    },
  });

export const connectionRoutes: Route[] = [
  getStatus,
  connect,
  disconnect,
  wipe("cancelAndWipe", "post", `${DEVICE}/cancel-and-wipe`),
  wipe("deleteSession", "delete", `${DEVICE}/session`),
];
