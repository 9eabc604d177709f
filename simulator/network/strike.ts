import { node } from "../wire/node.ts";
import { AT_ONCE_FAULTS, fits, isAtOnce, type AtOnceFault, type Fault } from "./faults.ts";
import type { LinkedDevice } from "./linked-device.ts";
import type { Network } from "./network.ts";
import { placeOf } from "./place-of.ts";

/** Lets a newly ordered at-once fault act on what is there; does nothing for the other kinds. */
export function strike(network: Network, fault: Fault): void {
  if (!isAtOnce(fault.fault)) return;
  const targets = network
    .linkedDevices()
    .filter((device) => fault.fault === "logout" || device.isConnected)
    .filter((device) => fits(fault.match, placeOf(network, device.account, device.device)));
  if (targets.length === 0 && fault.fault !== "logout") return;
  for (const device of targets) hit(network, device, fault.fault, fault);
  network.faults.countDown(fault);
}

/** Lets the at-once faults that still wait for this device act on its fresh login. */
export function strikeAtLogin(network: Network, device: LinkedDevice): void {
  const place = placeOf(network, device.account, device.device);
  for (const kind of AT_ONCE_FAULTS) {
    const fault = network.faults.take(kind, place);
    if (fault) hit(network, device, kind, fault);
  }
}

/** Ends what a deleted `half-open` fault holds: those connections work again and catch up. */
export function release(network: Network, faultId?: string): void {
  for (const device of network.linkedDevices()) {
    const { connection } = device;
    if (connection?.frozenBy === undefined) continue;
    if (faultId !== undefined && connection.frozenBy !== faultId) continue;
    connection.frozenBy = undefined;
    device.resume();
  }
}

function hit(network: Network, device: LinkedDevice, kind: AtOnceFault, { id, code }: Fault): void {
  const { connection } = device;
  switch (kind) {
    case "drop":
      connection?.drop();
      break;
    case "stream-error":
      connection?.send(node("stream:error", { code: String(code) }));
      connection?.close();
      break;
    case "replaced":
      connection?.send(node("stream:error", {}, [node("conflict", { type: "replaced" })]));
      connection?.close();
      break;
    case "half-open":
      if (connection) connection.frozenBy = id;
      break;
    case "logout":
      network.unlink(device);
      break;
  }
}
