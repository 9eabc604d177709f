import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { DeviceState } from "../device-state/state.ts";
import { heldStorage } from "../device-state/testing/held-storage.ts";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { openState } from "../device-state/testing/open-state.ts";
import type { TestCreds } from "../device-state/testing/open-state.ts";
import { gatedAgent } from "./output-gate.ts";

/** TLS with a shared secret needs no certificate. */
const secret = {
  ciphers: "PSK",
  maxVersion: "TLSv1.2" as const,
  checkServerIdentity: () => undefined,
  pskCallback: () => ({ identity: "test", psk: Buffer.alloc(16, 1) }),
};

describe.each(["ws:", "wss:"])("the output gate over %s", (protocol) => {
  let held: ReturnType<typeof heldStorage>;
  let state: DeviceState<TestCreds>;
  let server: Server;
  let url: string;
  let agent: ReturnType<typeof gatedAgent>;
  let client: WebSocket;
  /** The server's end of the connection, and what came through it. */
  let peer: WebSocket;
  let received: string[];

  const connect = (agent?: ReturnType<typeof gatedAgent>) =>
    new WebSocket(url, { ...(protocol === "wss:" && secret), ...(agent && { agent }) }).on("error", () => {});

  beforeEach(async () => {
    held = heldStorage(new MemoryStorage());
    state = await openState(held.storage);
    received = [];
    server =
      protocol === "wss:" ? createSecureServer({ ...secret, pskCallback: () => Buffer.alloc(16, 1) }) : createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sockets = new WebSocketServer({ server });
    agent = gatedAgent(url, state);
    client = connect(agent);
    [peer] = (await once(sockets, "connection")) as [WebSocket];
    peer.on("message", (data: Buffer) => received.push(data.toString()));
    if (client.readyState !== WebSocket.OPEN) await once(client, "open");
  });

  afterEach(async () => {
    client.terminate();
    server.closeAllConnections();
    server.close();
    held.releaseAll();
    await state.close();
  });

  const write = (name: string) => state.set({ session: { [name]: 1 } });
  const until = async (count: number) => {
    while (received.length < count) await once(peer, "message");
    return received;
  };
  /** A round trip beside the gate: what was on its way has come by then. */
  const others = async () => {
    const other = connect();
    await once(other, "open");
    other.ping();
    await once(other, "pong");
    other.terminate();
  };

  test("lets through what rests on nothing undurable", async () => {
    client.send("hello");
    expect(await until(1)).toEqual(["hello"]);
  });

  test("holds what follows a write until the write is durable, and says at once that it is written", async () => {
    const release = held.hold();
    write("a");
    await new Promise((resolve) => client.send("rests on a", resolve));
    await others();
    expect(received).toEqual([]);
    release();
    expect(await until(1)).toEqual(["rests on a"]);
  });

  test("holds each for its own write, and keeps the order", async () => {
    const releaseFirst = held.hold();
    write("a");
    client.send("1");
    await new Promise((resolve) => setImmediate(resolve));
    write("b");
    client.send("2");
    const releaseSecond = held.hold();
    releaseFirst();
    expect(await until(1)).toEqual(["1"]);
    client.send("3");
    await others();
    expect(received).toEqual(["1"]);
    releaseSecond();
    expect(await until(3)).toEqual(["1", "2", "3"]);
  });

  test("ends the connection when the log refuses, and what it held never leaves", async () => {
    const release = held.hold();
    write("a");
    client.send("of a zombie");
    const successor = await openState(held.inner, 2);
    release();
    await Promise.all([once(client, "close"), once(peer, "close")]);
    expect(received).toEqual([]);
    await successor.close();
  });

  test("lets nothing out of a state that has failed before", async () => {
    await state.close();
    const late = connect(gatedAgent(url, state));
    const [error] = await once(late, "error");
    expect(error).toBe(state.failed);
  });

  test("ends a connection that says more than may be held", async () => {
    const release = held.hold();
    write("a");
    const closed = once(client, "close");
    for (let megabyte = 0; megabyte < 9; megabyte++) client.send(Buffer.alloc(1 << 20));
    expect((await closed)[0]).toBe(1006);
    expect(received).toEqual([]);
    release();
  });

  test("stops reading while much is not durable, and goes on afterwards", async () => {
    const heard: string[] = [];
    client.on("message", (data: Buffer) => heard.push(data.toString()));
    const release = held.hold();
    state.set({ big: { a: "x".repeat(3 << 20) } });
    peer.send("first");
    while (!heard.length) await once(client, "message");
    peer.send("second");
    await others();
    expect(heard).toEqual(["first"]);
    release();
    while (heard.length < 2) await once(client, "message");
    expect(heard).toEqual(["first", "second"]);
  });

  test("is closed on demand at once, without a word to the peer", async () => {
    const closed = once(client, "close");
    agent.destroySockets();
    expect((await closed)[0]).toBe(1006);
  });
});
