import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findServer } from "./find-server.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "find-server-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function program(name: string, script: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

test("no directory with a server in it gives nothing", async () => {
  expect(await findServer([directory, join(directory, "missing")])).toBeUndefined();
});

test("mariadbd is preferred to mysqld, and each is known by what it says of itself", async () => {
  const mysqld = await program("mysqld", "echo 'mysqld  Ver 8.0.39 for Linux on x86_64 (MySQL Community Server)'");
  expect(await findServer([directory])).toEqual({ binary: mysqld, flavour: "mysql" });
  const mariadbd = await program("mariadbd", "echo 'mariadbd  Ver 10.11.19-MariaDB for Linux on x86_64'");
  expect(await findServer([directory])).toEqual({ binary: mariadbd, flavour: "mariadb" });
});

test("a server that does not run here is passed over", async () => {
  await program("mariadbd", "echo 'error while loading shared libraries: libaio.so.1' >&2; exit 127");
  expect(await findServer([directory])).toBeUndefined();
});
