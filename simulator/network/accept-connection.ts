import type { WebSocket } from "ws";
import { Registration } from "../pairing/registration.ts";
import { Connection } from "../wire/connection.ts";
import { node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import { lidJid } from "../wire/jid.ts";
import { DeviceSession } from "./device-session.ts";
import type { LinkedDevice } from "./linked-device.ts";
import type { Network } from "./network.ts";
import { placeOf } from "./place-of.ts";
import { strikeAtLogin } from "./strike.ts";

/** The reason that makes a client wipe its credentials: the device is unknown or was unlinked. */
const UNKNOWN_DEVICE = 401;

type Client = { receive(stanza: BinaryNode): void | Promise<void>; closed(): void };

/** Serves one WebSocket: handshake, then either registration or login, then whatever the client says. */
export function acceptConnection(network: Network, socket: WebSocket): void {
  let client: Client | undefined;
  let phone: string | undefined;
  let device: number | undefined;
  const record = (direction: "in" | "out", stanza: BinaryNode, bytes: Buffer) => {
    network.stats.countStanza(direction, stanza);
    network.trace.add({ direction, phone, device, stanza, bytes });
  };
  const connection = new Connection(socket, network.certificates, {
    onHello(payload, noiseKey) {
      if (payload.devicePairingData) {
        const refusal = network.faults.take("refuse-login", {});
        if (refusal) return refuse(connection, refusal.code);
        client = new Registration(network, connection, { data: payload.devicePairingData, noiseKey });
        return;
      }
      phone = String(payload.username);
      device = payload.device ?? 0;
      const admitted = admit(network, connection, { phone, device, noiseKey });
      if (!admitted) return;
      client = new DeviceSession(network, connection, admitted);
      strikeAtLogin(network, admitted);
    },
    onStanza(stanza, bytes) {
      record("in", stanza, bytes);
      return client?.receive(stanza);
    },
    onSent: (stanza, bytes) => record("out", stanza, bytes),
    onBroken: (reason) => network.stats.countBroken(reason),
    onClosed() {
      network.connections.delete(connection);
      client?.closed();
    },
  });
  network.connections.add(connection);
  network.stats.connectionsEver++;
}

function refuse(connection: Connection, reason: number): void {
  connection.send(node("failure", { reason: String(reason), location: "sim" }));
  connection.close();
}

/** Logs a device in by its Noise key, or refuses. An older connection of the same device is told that it is replaced. */
function admit(
  network: Network,
  connection: Connection,
  { phone, device, noiseKey }: { phone: string; device: number; noiseKey: Buffer },
): LinkedDevice | undefined {
  const owner = network.account(phone);
  const linked = owner?.devices.get(device);
  const fault = network.faults.take("refuse-login", owner ? placeOf(network, owner, device) : { phone, device });
  const isKnown = linked !== undefined && noiseKey.equals(linked.identity.noiseKey);
  if (fault || !isKnown) {
    refuse(connection, fault?.code ?? UNKNOWN_DEVICE);
    return undefined;
  }
  linked.connection?.send(node("stream:error", {}, [node("conflict", { type: "replaced" })]));
  linked.connection?.close();
  linked.attach(connection);
  network.stats.logins++;
  const { account } = linked;
  const lid = lidJid(account.lid, device);
  connection.send(
    node("success", { t: nowSeconds(), props: "1", companion_enc_static: "", lid, display_name: account.name }),
  );
  return linked;
}
