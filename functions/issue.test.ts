import { expect, test } from "vitest";
import * as z from "zod";
import { describeIssue } from "./issue.ts";

const schema = z.object({
  missing: z.string(),
  kind: z.number(),
  short: z.string().min(3),
  long: z.string().max(3),
  few: z.array(z.string()).min(1),
  low: z.coerce.number().min(1),
  choice: z.enum(["a", "b"]),
  absent: z.enum(["a", "b"]),
  form: z.string().regex(/^a+$/),
  day: z.iso.date(),
  later: z.never().optional(),
  own: z.string().refine(() => false, { params: { sentence: { id: "tidak", en: "no" } } }),
});
const wrong = {
  kind: "1",
  short: "a",
  long: "aaaa",
  few: [],
  low: "0",
  choice: "c",
  form: "b",
  day: "22-11-2026",
  later: true,
  own: "x",
};
const { error } = schema.safeParse(wrong, { reportInput: true });
const told = (language: "id" | "en") =>
  Object.fromEntries(error?.issues.map((issue) => [issue.path.join("."), describeIssue(issue, language)]) ?? []);

test("every kind of mistake is told in English", () => {
  expect(told("en")).toEqual({
    missing: "is required",
    kind: "must be of type number",
    short: "must have at least 3 characters",
    long: "must have at most 3 characters",
    few: "must have at least 1 items",
    low: "must be at least 1",
    choice: "must be one of: a, b",
    absent: "is required",
    form: "must match /^a+$/",
    day: "must match YYYY-MM-DD",
    later: "is not supported yet",
    own: "no",
  });
});

test("and in Indonesian", () => {
  expect(told("id")).toEqual({
    missing: "wajib diisi",
    kind: "harus bertipe number",
    short: "harus paling sedikit 3 karakter",
    long: "harus paling banyak 3 karakter",
    few: "harus paling sedikit 1 butir",
    low: "harus paling sedikit 1",
    choice: "harus salah satu dari: a, b",
    absent: "wajib diisi",
    form: "harus sesuai /^a+$/",
    day: "harus sesuai YYYY-MM-DD",
    later: "belum didukung",
    own: "tidak",
  });
});
