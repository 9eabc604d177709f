import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startNodeProcess } from "./node-process.ts";
import { buildPrograms } from "./programs.ts";

const SOURCE = "local/testing/children/obedient.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "programs-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test("programs that are made at the same time all run", async () => {
  const places = ["one", "two", "three"].map((name) => join(directory, name));
  const made = await Promise.all(places.map((place) => buildPrograms([SOURCE], place)));
  for (const programs of made) {
    const options = { args: ["4711"], environment: process.env, logs: directory, stopDeadlineMs: 5_000 };
    const child = await startNodeProcess({ ...options, name: "obedient", program: programs(SOURCE) });
    expect(child.ready).toMatchObject({ url: "http://127.0.0.1:4711" });
    await child.stop();
  }
});

test("what an earlier start has made is gone, and the packages it led to are not", async () => {
  const place = join(directory, "again");
  await buildPrograms([SOURCE], place);
  await writeFile(join(place, "old.mjs"), "");
  await buildPrograms([SOURCE], place);
  expect((await readdir(place)).toSorted()).toEqual(["local", "node_modules"]);
  expect(await readdir(join(place, "node_modules"))).toContain("hono");
});

test("a program that is not there is an error that names it", async () => {
  await expect(buildPrograms(["local/missing.ts"], join(directory, "missing"))).rejects.toThrow("missing.ts");
});
