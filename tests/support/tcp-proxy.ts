import { connect, createServer } from "node:net";
import type { AddressInfo, NetConnectOpts, Socket } from "node:net";

/**
 * `pass`: as if it were not there. `cut`: connections end and new ones are refused. `stall`: connections stay and
 * nothing comes through, as behind a network that drops packets; what was said meanwhile arrives afterwards.
 */
export type Way = "pass" | "cut" | "stall";

export type TcpProxy = { port: number; set: (way: Way) => void; close: () => Promise<void> };

/** A way from one host to one service, on a port of its own, that can be disturbed. */
export async function startTcpProxy(target: NetConnectOpts): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let way: Way = "pass";
  const steer = (socket: Socket) => (way === "stall" ? socket.pause() : socket.resume());
  const join = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on("data", (chunk: Buffer) => to.write(chunk));
    from.on("end", () => to.end());
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    steer(from);
  };
  const server = createServer((client) => {
    if (way === "cut") return void client.destroy();
    const service = connect(target);
    join(client, service);
    join(service, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    set(next) {
      way = next;
      for (const socket of sockets) if (way === "cut") socket.destroy();
      for (const socket of sockets) steer(socket);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
