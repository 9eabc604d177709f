import { createCipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getMediaKeys, proto } from "@whiskeysockets/baileys";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { testDatabase, testUser } from "../../local/testing/test-database.ts";
import * as devices from "../../shared/db/devices.ts";
import type { OwnedDevice } from "../../shared/db/devices.ts";
import { execute } from "../../shared/db/pool.ts";
import type { Database } from "../../shared/db/pool.ts";
import * as rows from "../../shared/db/received-media.ts";
import type { DeviceId } from "../../shared/ids.ts";
import { createLog } from "../../shared/log.ts";
import { receivedObject } from "../../shared/media.ts";
import type { MediaFiles } from "../../shared/media-files.ts";
import { eventually } from "../../tests/support/eventually.ts";
import type { StoredMessage } from "../chat-store/stored-message.ts";
import type { IncomingMessage } from "../whatsapp/decode/incoming-message.ts";
import type { Socket } from "../whatsapp/socket.ts";
import { openHostMedia } from "./host-media.ts";
import { ReceivedMedia } from "./received-media.ts";

const deviceId = "media" as DeviceId;
const KEY = randomBytes(32);
const PLAIN = randomBytes(5_000);
const WAIT_MS = 60_000;

let database: Database;
let owned: OwnedDevice;
let origin: string;
let sealed: Buffer;
let status: number;
const stored = new Map<string, Buffer>();
const server = createServer((request, response) => {
  const isRenewed = request.url === "/renewed";
  response.writeHead(isRenewed ? 200 : status).end(isRenewed || status === 200 ? sealed : "");
});

beforeAll(async () => {
  database = await testDatabase();
  const userId = await testUser(database);
  owned = { deviceId, userId, shard: 0, isWanted: true };
  await devices.create(database, { deviceId, userId, deviceName: null }, 1);
  const { cipherKey, iv, macKey } = await getMediaKeys(KEY, "document");
  const cipher = createCipheriv("aes-256-cbc", cipherKey, iv);
  const body = Buffer.concat([cipher.update(PLAIN), cipher.final()]);
  sealed = Buffer.concat([
    body,
    createHmac("sha256", macKey ?? "")
      .update(iv)
      .update(body)
      .digest()
      .subarray(0, 10),
  ]);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  status = 200;
  stored.clear();
});

const encoded = (directPath: string) =>
  Buffer.from(
    proto.Message.encode({
      documentMessage: { mediaKey: KEY, directPath, mimetype: "application/pdf; charset=x", fileName: "a.pdf" },
    }).finish(),
  );

function open(epoch = 1) {
  const files = {
    put: async (key: string, { path }: { path: string }) => void stored.set(key, await readFile(path)),
  } as unknown as MediaFiles;
  return new ReceivedMedia({
    owned,
    epoch,
    database,
    media: openHostMedia(files),
    origin,
    findMessage: (id) =>
      Promise.resolve({ id, chat: "628@s.whatsapp.net", raw: encoded("/first").toString("base64") } as StoredMessage),
    log: createLog("test", "silent"),
  });
}
const came = (messageId: string) => [{ messageId, content: { media: {} } } as unknown as IncomingMessage];
const row = async (messageId: string) => await rows.get(database, owned, messageId);
const settled = (messageId: string) =>
  eventually(`the file of ${messageId} is settled`, WAIT_MS, async () => {
    const found = await row(messageId);
    return found?.state !== "pending" && found;
  });

test("a file is put beside its message's events, once however often the message is told of", async () => {
  const media = open();
  for (const _again of [1, 2]) await media.record(database.pool, came("A1"));
  media.wake(came("A1"));
  expect(await settled("A1")).toMatchObject({ state: "ready", sizeBytes: PLAIN.length, mimetype: "application/pdf" });
  expect(
    createHash("sha256")
      .update(stored.get(receivedObject(owned, "A1")) ?? "")
      .digest("hex"),
  ).toBe(createHash("sha256").update(PLAIN).digest("hex"));
  await media.close();
});

test("what a host has left when it died is gone on with by the next", async () => {
  status = 500;
  const first = open();
  await first.record(database.pool, came("B2"));
  first.wake(came("B2"));
  await eventually("it was tried", WAIT_MS, async () => (await row("B2"))?.attempts === 1);
  await first.close();
  status = 200;
  await execute(database.pool, "UPDATE received_media SET next_at = NOW(3) WHERE message_id = 'B2'");
  const next = open(2);
  next.onOpen({} as Socket);
  expect(await settled("B2")).toMatchObject({ state: "ready" });
  await next.close();
});

test("a file that has gone waits for a connection, on which the phone is asked for it", async () => {
  status = 410;
  const media = open();
  await media.record(database.pool, came("C3"));
  media.wake(came("C3"));
  await eventually("it waits", WAIT_MS, async () => {
    const [pending] = await rows.listPending(database, owned, 1);
    return pending?.messageId === "C3" && pending.dueInMs > 0;
  });
  expect((await row("C3"))?.attempts).toBe(0);
  await execute(database.pool, "UPDATE received_media SET next_at = NOW(3) WHERE message_id = 'C3'");
  media.onOpen({ renewMedia: () => Promise.resolve(encoded("/renewed")) } as unknown as Socket);
  expect(await settled("C3")).toMatchObject({ state: "ready" });
  await media.record(database.pool, came("D4"));
  media.onOpen({ renewMedia: () => Promise.resolve(undefined) } as unknown as Socket);
  expect(await settled("D4")).toMatchObject({ state: "failed", reason: "gone" });
  await media.close();
});

test("what cannot be reached is given up after some tries", async () => {
  status = 500;
  const media = open();
  await media.record(database.pool, came("E5"));
  const outcome = await eventually("it is given up", WAIT_MS, async () => {
    await execute(database.pool, "UPDATE received_media SET next_at = NOW(3) WHERE message_id = 'E5'");
    media.wake(came("E5"));
    const found = await row("E5");
    return found?.state === "failed" && found;
  });
  expect(outcome).toMatchObject({ reason: "unreachable", attempts: 5 });
  await media.close();
});
