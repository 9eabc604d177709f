import { afterAll, expect, test } from "vitest";
import type { CommandId } from "./ids.ts";
import { keepResult, readResult, takeResult } from "./results.ts";
import { startTestBucket } from "./testing/test-bucket.ts";

const bucket = await startTestBucket();
afterAll(() => bucket.end());
const commandId = "cmd_1" as CommandId;

test("an answer with content is an object: the row only points to it, and taking it removes it", async () => {
  const row = await keepResult(bucket.storage, commandId, { text: "halo" });
  expect(JSON.stringify(row)).not.toContain("halo");
  expect(await readResult(bucket.storage, row)).toEqual({ text: "halo" });
  expect(await takeResult(bucket.storage, row)).toEqual({ text: "halo" });
  expect(await takeResult(bucket.storage, row)).toBeUndefined();
});

test("a command that ran twice keeps its first answer", async () => {
  await keepResult(bucket.storage, commandId, { n: 1 });
  expect(await takeResult(bucket.storage, await keepResult(bucket.storage, commandId, { n: 2 }))).toEqual({ n: 1 });
});

test("an answer without content is the row's own", async () => {
  expect(await takeResult(bucket.storage, { reached: "connected" })).toEqual({ reached: "connected" });
});
