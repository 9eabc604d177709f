import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadSecrets } from "./secrets.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "secrets-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

test("secrets are made once, readable by their owner only, and stay the same", async () => {
  const secrets = await loadSecrets(dataDir);
  expect(Buffer.from(secrets.stateEncryptionKey, "base64")).toHaveLength(32);
  expect((await stat(join(dataDir, "secrets.json"))).mode & 0o777).toBe(0o600);
  expect(await loadSecrets(dataDir)).toEqual(secrets);
});

test("two installations have nothing in common", async () => {
  const first = await loadSecrets(dataDir);
  await rm(join(dataDir, "secrets.json"));
  const second = await loadSecrets(dataDir);
  const values = [first, second].flatMap(({ aws, ...rest }) => [...Object.values(rest), ...Object.values(aws)]);
  expect(new Set(values).size).toBe(values.length);
});

test("a secret that an earlier version did not make is added, and the others stay", async () => {
  const { sessionSecret: _missing, ...earlier } = await loadSecrets(dataDir);
  await writeFile(join(dataDir, "secrets.json"), JSON.stringify(earlier));
  const secrets = await loadSecrets(dataDir);
  expect(secrets).toMatchObject(earlier);
  expect(secrets.sessionSecret).toHaveLength(64);
  expect(await loadSecrets(dataDir)).toEqual(secrets);
});

test.each(["", "{", "{}"])("a damaged file (%j) is refused, never replaced", async (content) => {
  await writeFile(join(dataDir, "secrets.json"), content);
  await expect(loadSecrets(dataDir)).rejects.toThrow("is damaged");
  expect(await readFile(join(dataDir, "secrets.json"), "utf8")).toBe(content);
});
