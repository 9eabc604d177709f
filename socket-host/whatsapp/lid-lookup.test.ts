import { expect, test, vi } from "vitest";
import { lidLookup } from "./lid-lookup.ts";

const known = { pn: "1@s.whatsapp.net", lid: "2@lid" };

test("a number without a LID is asked for once a minute, others each time", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const ask = vi.fn(async (jids: string[]) => [known].filter(({ pn }) => jids.includes(pn)));
  const lookup = lidLookup(ask);
  const both = ["1@s.whatsapp.net", "3@s.whatsapp.net"];
  expect(await lookup(both)).toEqual([known]);
  expect(await lookup(both)).toEqual([known]);
  expect(await lookup(["3@s.whatsapp.net"])).toBeUndefined();
  vi.setSystemTime(Date.now() + 60_000);
  expect(await lookup(["3@s.whatsapp.net"])).toEqual([]);
  expect(ask.mock.calls.map(([jids]) => jids)).toEqual([both, ["1@s.whatsapp.net"], ["3@s.whatsapp.net"]]);
  vi.useRealTimers();
});

test("a question that failed may be asked again at once", async () => {
  const ask = vi.fn().mockRejectedValueOnce(new Error("connection closed")).mockResolvedValue([known]);
  const lookup = lidLookup(ask);
  await expect(lookup(["1@s.whatsapp.net"])).rejects.toThrow("connection closed");
  expect(await lookup(["1@s.whatsapp.net"])).toEqual([known]);
});
