import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chooseServer } from "./choose-server.ts";

test("an installed server is taken, and nothing is fetched", async () => {
  const directory = await mkdtemp(join(tmpdir(), "choose-server-"));
  const binary = join(directory, "mariadbd");
  await writeFile(binary, "#!/bin/sh\necho 'mariadbd  Ver 11.4.2-MariaDB'\n");
  await chmod(binary, 0o755);
  const server = await chooseServer(directory, (line) => expect.fail(line), [directory]);
  expect(server).toEqual({ binary, flavour: "mariadb" });
  await rm(directory, { recursive: true });
});
