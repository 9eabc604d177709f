import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeRecords, decodeValue, encodeRecords, encodeValue } from "./records.ts";
import type { TextRecord } from "./records.ts";

test("records come back as they were, whatever their names and values hold", () => {
  const value = fc.jsonValue().filter((value) => value !== null);
  const record = fc.tuple(fc.string({ unit: "binary" }), fc.option(value.map(encodeValue)));
  fc.assert(
    fc.property(fc.array(record), (records: TextRecord[]) => {
      expect([...decodeRecords(encodeRecords(records))]).toEqual(records);
    }),
    { seed: 1 },
  );
});

test("bytes come back as bytes, from any kind of array and at any depth", () => {
  const bytes = Uint8Array.from([0, 1, 254, 255]);
  const value = { view: bytes.subarray(1, 3), deep: [{ buffer: Buffer.from(bytes) }], empty: new Uint8Array() };
  expect(decodeValue(encodeValue(value))).toEqual({
    view: Buffer.from([1, 254]),
    deep: [{ buffer: Buffer.from(bytes) }],
    empty: Buffer.alloc(0),
  });
});

test("a value that is read is a copy", () => {
  const text = encodeValue({ list: ["a"] });
  (decodeValue(text) as { list: string[] }).list.push("b");
  expect(decodeValue(text)).toEqual({ list: ["a"] });
});

test("a body that was cut is refused", () => {
  const body = encodeRecords([["name", "1"]]);
  expect(() => [...decodeRecords(body.subarray(0, -1))]).toThrow("ends inside a line");
});
