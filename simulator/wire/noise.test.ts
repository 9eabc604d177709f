import { randomBytes } from "node:crypto";
import {
  Curve,
  makeNoiseHandler,
  NOISE_WA_HEADER,
  proto,
  WA_CERT_DETAILS,
  encodeBinaryNode,
} from "@whiskeysockets/baileys";
import { beforeEach, describe, expect, test } from "vitest";
import { silentLogger } from "../phone/silent-logger.ts";
import { createCertificateKeys, issueCertificates } from "./certificates.ts";
import { Malformed } from "./malformed.ts";
import { NoiseServer, type NoiseEvent } from "./noise.ts";
import { node } from "./node.ts";

const certificates = issueCertificates(createCertificateKeys());

/** Baileys' own half of the handshake, against the server, through a function that carries the bytes. */
async function shakeHands(carry: (bytes: Buffer) => NoiseEvent[], routingInfo?: Buffer) {
  const ephemeral = Curve.generateKeyPair();
  const noiseKey = Curve.generateKeyPair();
  const client = makeNoiseHandler({
    keyPair: ephemeral,
    NOISE_HEADER: NOISE_WA_HEADER,
    logger: silentLogger,
    ...(routingInfo && { routingInfo }),
  });
  const hello = proto.HandshakeMessage.encode({ clientHello: { ephemeral: ephemeral.public } }).finish();
  const [reply] = carry(client.encodeFrame(hello));
  if (reply?.kind !== "reply") throw new Error("no answer to the hello");
  const handshake = proto.HandshakeMessage.decode(reply.frame.subarray(3));
  const staticKey = client.processHandshake(handshake, noiseKey);
  const payload = client.encrypt(proto.ClientPayload.encode({ username: 15550000001, device: 1 }).finish());
  const [login] = carry(
    client.encodeFrame(proto.HandshakeMessage.encode({ clientFinish: { static: staticKey, payload } }).finish()),
  );
  await client.finishInit();
  return { client, noiseKey, login };
}

describe("the Noise server", () => {
  let server: NoiseServer;
  beforeEach(() => {
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(certificates.rootPublicKey);
    server = new NoiseServer(certificates);
  });

  test("learns who the client is, and carries stanzas both ways", async () => {
    const { client, noiseKey, login } = await shakeHands((bytes) => server.feed(bytes));
    if (login?.kind !== "hello") throw new Error("no login");
    expect(login.clientKey.equals(noiseKey.public)).toBe(true);
    expect([Number(login.payload.username), login.payload.device]).toEqual([15550000001, 1]);
    const stanza = encodeBinaryNode(node("iq", { id: "1" }));
    const [arrived] = server.feed(client.encodeFrame(stanza));
    expect(arrived).toEqual({ kind: "stanza", plaintext: stanza });
    const back: unknown[] = [];
    await client.decodeFrame(server.seal(stanza), (frame) => back.push(frame));
    expect(back).toEqual([{ tag: "iq", attrs: { id: "1" } }]);
  });

  test("does not mind how the bytes are cut, nor a routing prefix", async () => {
    const bytewise = (bytes: Buffer) => [...bytes].flatMap((byte) => server.feed(Buffer.from([byte])));
    const { client } = await shakeHands(bytewise, randomBytes(20));
    const frames = ["1", "2"].map((id) => client.encodeFrame(encodeBinaryNode(node("iq", { id }))));
    expect(server.feed(Buffer.concat(frames)).map((event) => event.kind)).toEqual(["stanza", "stanza"]);
  });

  test.each([
    ["another protocol", Buffer.from("GET / HTTP/1.1\r\n")],
    ["a frame that is far too long", Buffer.concat([NOISE_WA_HEADER, Buffer.from([0xff, 0xff, 0xff])])],
    ["routing info that is far too long", Buffer.from([0x45, 0x44, 0, 1, 0xff, 0xff, 0xff])],
  ])("refuses %s", (_, bytes) => {
    expect(() => server.feed(bytes)).toThrow(Malformed);
  });

  test("refuses a stanza that was tampered with", async () => {
    const { client } = await shakeHands((bytes) => server.feed(bytes));
    const frame = client.encodeFrame(encodeBinaryNode(node("iq", { id: "1" })));
    frame.writeUInt8(frame.readUInt8(5) ^ 1, 5);
    expect(() => server.feed(frame)).toThrow("authenticate");
  });
});
