import { expect, test } from "vitest";
import { fillMentions } from "./fill-mentions.ts";

const PEOPLE = ["6281100000001@s.whatsapp.net", "100000000000123@lid"];
const filled = (message: string) => fillMentions(message, PEOPLE);

test.each([
  ["Halo {m1} dan {m2}", "Halo @6281100000001 dan @100000000000123"],
  ["{mention1}, {mention2}", "@6281100000001, @100000000000123"],
  ["{mention[0]}, {mention[1]}", "@6281100000001, @100000000000123"],
  ["Semua: {mentions}!", "Semua: @6281100000001 @100000000000123!"],
  ["{m1}{m1}", "@6281100000001@6281100000001"],
  ["tanpa, {nama}, {m}, {M1}, {mentions1}, { m1 }", "tanpa, {nama}, {m}, {M1}, {mentions1}, { m1 }"],
])("%s becomes %s", (message, text) => {
  expect(filled(message)).toEqual({ outcome: "filled", text });
});

test("placeholders that stand for nobody are named, each once", () => {
  expect(filled("{m0} {m3} {m3} {mention[2]} {m1} {mention99999999999999999999}")).toEqual({
    outcome: "unknown",
    placeholders: ["{m0}", "{m3}", "{mention[2]}", "{mention99999999999999999999}"],
  });
});
