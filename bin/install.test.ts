import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

const run = promisify(execFile);

/** Releases of a checkout in miniature: one package from a tarball beside it, so that no registry is needed. */
let releases: string;
let root: string;
beforeAll(async () => {
  releases = await mkdtemp(join(tmpdir(), "releases-"));
  await Promise.all(["1.0.0", "1.1.0"].map(prepare));
});
afterAll(() => rm(releases, { recursive: true }));
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fresh clone "));
  await cp(new URL(".", import.meta.url), join(root, "bin"), { recursive: true });
  await checkOut("1.0.0");
});
afterEach(() => rm(root, { recursive: true }));

async function prepare(version: string): Promise<void> {
  const folder = join(releases, version);
  await mkdir(join(folder, "tiny"), { recursive: true });
  await writeFile(join(folder, "tiny/package.json"), JSON.stringify({ name: "tiny", version }));
  const manifest = { name: "clone", version: "1.0.0", dependencies: { tiny: `file:tiny-${version}.tgz` } };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await run("npm", ["pack", "--silent", "./tiny"], { cwd: folder });
  await run("npm", ["install", "--package-lock-only", "--silent", "--no-audit"], { cwd: folder });
}

async function checkOut(version: string): Promise<void> {
  for (const name of ["package.json", "package-lock.json", `tiny-${version}.tgz`]) {
    await cp(join(releases, version, name), join(root, name));
  }
}

/** What it printed. It runs without a home directory, as a service account does. */
async function install(): Promise<string> {
  const call = "import('./bin/install.mjs').then((module) => module.install({ withDevelopment: true }))";
  const env = { ...process.env, HOME: "/nonexistent" };
  const { stdout, stderr } = await run(process.execPath, ["--eval", call], { cwd: root, env });
  return stdout + stderr;
}

const installedVersion = async () =>
  (JSON.parse(await readFile(join(root, "node_modules/tiny/package.json"), "utf8")) as { version: string }).version;

test("a fresh clone gets its packages, with one line said, and a second start does nothing", async () => {
  expect(await install()).toBe("installing packages (once, about a minute) …\n");
  expect(await installedVersion()).toBe("1.0.0");
  expect(await install()).toBe("");
});

test("packages follow the lockfile after it has changed", async () => {
  await install();
  await checkOut("1.1.0");
  expect(await install()).toContain("installing");
  expect(await installedVersion()).toBe("1.1.0");
});

test("an installation that was interrupted is done again", async () => {
  await install();
  await rm(join(root, "node_modules/.package-lock.json"));
  expect(await install()).toContain("installing");
});

test("of two starts at the same time one installs and the other waits for it", async () => {
  const said = await Promise.all([install(), install()]);
  expect(said.filter((text) => text.startsWith("installing"))).toHaveLength(1);
  expect(await installedVersion()).toBe("1.0.0");
  await expect(stat(join(root, ".local/tools/install.lock"))).rejects.toThrow("ENOENT");
});

test("the lock of an installer that was killed is in nobody's way", async () => {
  await mkdir(join(root, ".local/tools"), { recursive: true });
  await writeFile(join(root, ".local/tools/install.lock"), "999999999");
  expect(await install()).toContain("installing");
});

test("a failed installation shows npm's reason", async () => {
  await rm(join(root, "tiny-1.0.0.tgz"));
  await expect(install()).rejects.toThrow(/the packages could not be installed:\n.*tiny-1\.0\.0\.tgz/s);
});
