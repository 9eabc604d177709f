import { expect, test } from "vitest";
import { repairSenderKeyRecord } from "./sender-key-record.ts";

const rc14 = (text: string) => ({ type: "Buffer", data: [...Buffer.from(text)] });
const base64 = (text: string) => ({ type: "Buffer", data: Buffer.from(text).toString("base64") });

type Bytes = typeof rc14 | typeof base64;
const state = (bytes: Bytes, id: number, iteration: number, late: number[], privateKey = "") => ({
  senderKeyId: id,
  senderChainKey: { iteration, seed: bytes(`chain ${iteration}`) },
  senderSigningKey: { public: bytes("public"), private: bytes(privateKey) },
  senderMessageKeys: late.map((iteration) => ({ iteration, seed: bytes(`key ${iteration}`) })),
});
const repaired = (...states: unknown[]) =>
  JSON.parse(Buffer.from(repairSenderKeyRecord(Buffer.from(JSON.stringify(states)))).toString());

test("bytes are stored in the form that Baileys can read", () => {
  expect(repaired(state(rc14, 1, 5, [2, 3]))).toEqual([state(base64, 1, 5, [2, 3])]);
});

test("a record that is repaired already stays as it is", () => {
  expect(repaired(state(base64, 1, 5, [2, 3]))).toEqual([state(base64, 1, 5, [2, 3])]);
});

test("of one key the first copy is kept, which alone has the keys of late messages; other keys stay", () => {
  const first = state(rc14, 1, 5, [2, 3]);
  expect(repaired(first, state(rc14, 2, 0, []), state(rc14, 1, 6, []), state(rc14, 1, 9, []))).toEqual([
    state(base64, 1, 5, [2, 3]),
    state(base64, 2, 0, []),
  ]);
});

test("a copy that is further ahead than the cipher can turn takes the first one's place, and its late keys", () => {
  expect(repaired(state(rc14, 1, 5, [2]), state(rc14, 1, 2_006, []))).toEqual([state(base64, 1, 2_006, [2])]);
  expect(repaired(state(rc14, 1, 5, [2]), state(rc14, 1, 2_005, []))).toEqual([state(base64, 1, 5, [2])]);
});

test("our own record, which has the private key, keeps no keys of messages", () => {
  expect(repaired(state(rc14, 1, 5, [1, 2, 3], "private"))).toEqual([state(base64, 1, 5, [], "private")]);
});

test("what has another form comes back untouched", () => {
  const record = Buffer.from(JSON.stringify([{ senderKeyId: 1 }]));
  expect(repairSenderKeyRecord(record)).toBe(record);
});
