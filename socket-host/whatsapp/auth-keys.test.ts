import "./quiet.ts";
import { BufferJSON, Curve, initAuthCreds, proto } from "@whiskeysockets/baileys";
import { expect, test } from "vitest";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { decodeValue, encodeValue } from "../device-state/records.ts";
import { authKeys } from "./auth-keys.ts";
import { ourParty } from "./testing/signal-party.ts";

const JID = "100000000000001@lid";

test("values of every type come back after a restart as Baileys set them", async () => {
  const storage = new MemoryStorage();
  const { state } = await ourParty(JID, storage);
  const appStateKey = proto.Message.AppStateSyncKeyData.fromObject({
    keyData: Buffer.alloc(32, 1),
    fingerprint: { rawId: 7, currentIndex: 1, deviceIndexes: [0, 1] },
    timestamp: 1_700_000_000,
  });
  const version = { version: 3, hash: Buffer.alloc(128, 2), indexValueMap: { mac: { valueMac: Buffer.alloc(32, 3) } } };
  const preKey = Curve.generateKeyPair();
  await authKeys(state).set({
    "pre-key": { 1: preKey, 2: null },
    "app-state-sync-key": { id: appStateKey },
    "app-state-sync-version": { regular: version },
    "sender-key-memory": { "1@g.us": { "2@lid": true } },
    "lid-mapping": { 15550000002: "100000000000002" },
    "device-list": { 15550000002: ["0", "3"] },
    tctoken: { "2@lid": { token: Buffer.from("token"), timestamp: "1" } },
    "identity-key": { "2_1.0": new Uint8Array(33) },
  });
  await state.durable();

  const again = await ourParty(JID, storage, 2);
  const keys = authKeys(again.state);
  expect(await keys.get("pre-key", ["1", "2"])).toEqual({
    1: { public: Buffer.from(preKey.public), private: Buffer.from(preKey.private) },
  });
  const { id: revived } = await keys.get("app-state-sync-key", ["id"]);
  expect(revived).toBeInstanceOf(proto.Message.AppStateSyncKeyData);
  expect(proto.Message.AppStateSyncKeyData.encode(revived ?? {}).finish()).toEqual(
    proto.Message.AppStateSyncKeyData.encode(appStateKey).finish(),
  );
  expect(await keys.get("app-state-sync-version", ["regular"])).toEqual({ regular: version });
  expect(await keys.get("sender-key-memory", ["1@g.us"])).toEqual({ "1@g.us": { "2@lid": true } });
  expect(await keys.get("lid-mapping", ["15550000002"])).toEqual({ 15550000002: "100000000000002" });
  expect(await keys.get("device-list", ["15550000002"])).toEqual({ 15550000002: ["0", "3"] });
  expect(await keys.get("tctoken", ["2@lid"])).toEqual({ "2@lid": { token: Buffer.from("token"), timestamp: "1" } });
  expect(await keys.get("identity-key", ["2_1.0"])).toEqual({ "2_1.0": Buffer.alloc(33) });
  await Promise.all([state.close(), again.state.close()]);
});

test("credentials are stored in the form of Baileys' own stores", () => {
  const creds = initAuthCreds();
  const text = JSON.stringify(creds, BufferJSON.replacer);
  expect(encodeValue(creds)).toBe(text);
  expect(decodeValue(text)).toEqual(JSON.parse(text, BufferJSON.reviver));
});

test("reading and writing reject when the state has failed", async () => {
  const { state } = await ourParty(JID);
  await state.close();
  await expect(authKeys(state).get("session", ["a"])).rejects.toBe(state.failed);
  await expect(authKeys(state).set({ session: { a: null } })).rejects.toBe(state.failed);
});
