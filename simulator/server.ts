import "./quiet.ts";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { WebSocketServer } from "ws";
import { createControl } from "./control/control.ts";
import type { GroupRecord } from "./groups/group.ts";
import { DataDirectory } from "./data-directory.ts";
import { isMediaRequest, serveMedia } from "./media/media-host.ts";
import { MediaLibrary, type MediaRecord } from "./media/media-library.ts";
import { acceptConnection } from "./network/accept-connection.ts";
import { Account, type AccountRecord } from "./network/account.ts";
import type { Memory } from "./network/kept.ts";
import { Network } from "./network/network.ts";
import { createCertificateKeys, issueCertificates } from "./wire/certificates.ts";

export type SimulatorOptions = {
  /** 0 or nothing: any free port. */
  port?: number;
  /** Where everything is kept over restarts; without it everything is in memory. */
  dataDir?: string;
};

export type Simulator = {
  /** The control API, `http://127.0.0.1:<port>`. */
  url: string;
  /** For Baileys' `waWebSocketUrl`. */
  wsUrl: string;
  /** Base64 of 32 bytes, for Baileys' `WA_CERT_DETAILS.PUBLIC_KEY`. */
  rootPublicKey: string;
  /** Ends all connections and saves everything. */
  dispose(): Promise<void>;
};

const HOST = "127.0.0.1";
const WEBSOCKET_PATH = "/ws/chat";
const MAX_CONNECTIONS = 5_000;
const MAX_FRAME_BYTES = 32 * 1024 * 1024;
const NOWHERE: Memory = { changed: () => {}, gone: () => {}, cleared: () => {} };

/**
 * Starts the simulated WhatsApp, WebSocket, media host and control API on one loopback port. Throws if the port is taken or the data
 * directory cannot be read. Switches off `console.info`, `.warn` and `.error` for the process (see quiet.ts).
 */
export async function startSimulator({ port = 0, dataDir }: SimulatorOptions = {}): Promise<Simulator> {
  const data = dataDir === undefined ? undefined : await DataDirectory.open(dataDir);
  const keys = data ? await data.certificateKeys() : createCertificateKeys();
  const [mediaRecord] = (await data?.records<MediaRecord>("media")) ?? [];
  const media = await MediaLibrary.open(dataDir, mediaRecord);
  const network = new Network(issueCertificates(keys), data ?? NOWHERE, media);
  for (const record of (await data?.records<AccountRecord>("accounts")) ?? [])
    network.add(Account.fromRecord(network, record));
  for (const record of (await data?.records<GroupRecord>("groups")) ?? []) network.keep(network.groups.add(record));
  for (const account of network.accounts()) account.phone.workOff();

  const server = createServer();
  const sockets = serveWebSockets(server, network);
  const mediaPort = await listen(server, port);
  const wsUrl = `ws://${HOST}:${mediaPort}${WEBSOCKET_PATH}`;
  const rootPublicKey = network.certificates.rootPublicKey.toString("base64");
  const control = createControl(network, { wsUrl, rootPublicKey, mediaPort });
  const answer = getRequestListener(control.fetch);
  server.on("request", (request, response) => {
    void (isMediaRequest(request) ? serveMedia(network, request, response) : answer(request, response));
  });

  return {
    url: `http://${HOST}:${mediaPort}`,
    wsUrl,
    rootPublicKey,
    async dispose() {
      for (const connection of network.connections) connection.drop();
      await Promise.all(network.accounts().map((account) => account.phone.stop()));
      sockets.close();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await data?.close();
      await media.dispose();
    },
  };
}

function serveWebSockets(server: Server, network: Network): WebSocketServer {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES });
  server.on("upgrade", (request, socket, head) => {
    if (network.connections.size >= MAX_CONNECTIONS || network.faults.take("refuse-connections", {})) {
      socket.destroy();
      return;
    }
    if (request.url?.split("?")[0] !== WEBSOCKET_PATH) {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => acceptConnection(network, webSocket));
  });
  return sockets;
}

/** Answers the port, which is another one than asked for if that was 0. */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
