import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openDataDir } from "./data-dir.ts";
import { REPOSITORY } from "./repository.ts";

const ignore = () => undefined;
const NOBODY = 65_534;

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "data-dir-"));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

test("a directory that is missing is made, private to its owner", async () => {
  const opened = await openDataDir(join(parent, "a", "b"), ignore);
  expect(opened.path).toBe(join(parent, "a", "b"));
  expect((await stat(opened.path)).mode & 0o777).toBe(0o700);
  expect((await stat(opened.logs)).mode & 0o777).toBe(0o700);
  await opened.release();
});

test("a directory that was open to others is closed to them", async () => {
  await chmod(parent, 0o755);
  const opened = await openDataDir(parent, ignore);
  expect((await stat(parent)).mode & 0o777).toBe(0o700);
  await opened.release();
});

test("a second copy on the same directory is refused in one line, until the first lets go", async () => {
  const first = await openDataDir(parent, ignore);
  const refused = openDataDir(parent, ignore);
  await expect(refused).rejects.toThrow(/^the data directory is in use by process \d+ .+$/);
  await expect(refused).rejects.toHaveProperty("name", "LaunchError");
  await first.release();
  await (await openDataDir(parent, ignore)).release();
});

test("the lock of a process that is gone is taken over", async () => {
  await writeFile(join(parent, "lock"), JSON.stringify({ pid: 999_999_999, host: "gone", born: "", token: "" }));
  const past = new Date(Date.now() - 3_600_000);
  await utimes(join(parent, "lock"), past, past);
  await (await openDataDir(parent, ignore)).release();
});

test("somebody else's directory is left alone", async () => {
  await writeFile(join(parent, "thesis.txt"), "mine");
  await chmod(parent, 0o755);
  await expect(openDataDir(parent, ignore)).rejects.toThrow("holds other files");
  expect((await stat(parent)).mode & 0o777).toBe(0o755);
});

test("a file in the place of the directory is refused in one line", async () => {
  await writeFile(join(parent, "data"), "");
  await expect(openDataDir(join(parent, "data"), ignore)).rejects.toThrow("is not a directory");
});

test("a directory that cannot be written is refused in one line", async ({ skip }) => {
  const directory = join(parent, "data");
  await mkdir(directory, { mode: 0o555 });
  await chmod(parent, 0o755);
  const attempt = `import { openDataDir } from ${JSON.stringify(join(REPOSITORY, "local/data-dir.ts"))};
    openDataDir(${JSON.stringify(directory)}, () => {}).catch((error) => console.log(error.name, error.message));`;
  const command = [process.execPath, "--import", "tsx", "--eval", attempt];
  // Root may write everywhere: then another user tries.
  const asNobody = process.getuid?.() === 0 ? ["setpriv", "--reuid", String(NOBODY), "--clear-groups"] : [];
  const [program = "", ...args] = [...asNobody, ...command];
  const { stdout } = await promisify(execFile)(program, args, { cwd: REPOSITORY }).catch((error: Error) => {
    skip(`there is no other user to try it as: ${error.message}`);
    throw error;
  });
  expect(stdout).toBe(`LaunchError the data directory ${directory} cannot be written (EACCES)\n`);
});

test("who holds the directory is told when it is taken away", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const onLost = vi.fn<(reason: string) => void>();
  const opened = await openDataDir(join(parent, "data"), onLost);
  await rm(opened.path, { recursive: true });
  vi.advanceTimersByTime(6_000);
  vi.useRealTimers();
  await vi.waitUntil(() => onLost.mock.calls.length > 0, { timeout: 5000 });
  expect(onLost).toHaveBeenCalledWith(expect.stringContaining("was taken"));
  await opened.release();
});
