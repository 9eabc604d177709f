import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import type { WhatsAppConfig } from "../../shared/config.ts";
import type { DeviceState } from "../device-state/state.ts";
import { forkReady } from "../../shared/testing/fork-ready.ts";
import { newCredentials } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";
import { openSocket } from "./socket.ts";

/** As much of a device state as a connection that never gets anywhere touches. */
function emptyState() {
  const creds = newCredentials();
  const state = { creds, seq: 0, durableSeq: 0, failed: undefined, backlogBytes: 0, onDurable: new Set<() => void>() };
  return {
    ...state,
    saveCreds: () => undefined,
    get: () => ({}),
    set: () => undefined,
  } as unknown as DeviceState<Credentials>;
}

/** The code with which a connection to this address ends that never gets anywhere. */
async function codeOfEnd(webSocketUrl: string): Promise<unknown> {
  const config: WhatsAppConfig = {
    webSocketUrl,
    trustRoot: undefined,
    mediaOrigin: undefined,
    connectTimeoutMs: 20_000,
    queryTimeoutMs: 20_000,
    keepAliveIntervalMs: 30_000,
    restoreStaggerMs: 0,
    loginsPerSecond: 1,
    printQr: false,
  };
  const nothing = () => undefined;
  return await new Promise((resolve) => {
    openSocket(emptyState(), config, {
      onQr: nothing,
      onPaired: nothing,
      onPasskey: nothing,
      onOpen: nothing,
      onCaughtUp: nothing,
      onClose: resolve,
      onAck: nothing,
      onReceiptAck: nothing,
      onHistory: nothing,
      onContacts: nothing,
      onChatRead: nothing,
      findMessage: () => Promise.resolve(undefined),
      mediaPart: () => Promise.reject(new Error("no file is sent here")),
    });
  });
}

describe("a socket", () => {
  it("that a proxy answers with an HTTP status ends at once, and says nothing about the account", async () => {
    const server = http.createServer();
    server.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    afterAll(() => void server.close());
    expect(await codeOfEnd(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/chat`)).toBe(503);
  });

  it("ends before it logs in when the server's certificate is not one of WhatsApp's", async () => {
    const { ready, end } = await forkReady<{ wsUrl: string }>("simulator/main.ts", []);
    afterAll(end);
    expect(await codeOfEnd(ready.wsUrl)).toBe(400);
  });
});
