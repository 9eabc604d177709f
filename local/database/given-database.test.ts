import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareGivenDatabase } from "./given-database.ts";
import { startDatabase } from "./start-database.ts";
import type { DatabaseProcess } from "./start-database.ts";

let dataDir: string;
let server: DatabaseProcess;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "given-database-"));
  server = await startDatabase({ dataDir });
});
afterAll(async () => {
  await server.dispose();
  await rm(dataDir, { recursive: true });
});

const urlWith = (name: string, user = "root") =>
  server.url.replace("root@", `${user}@`).replace("/whatsapp?", `/${name}?`);

test("a database that is missing on a given server is created, once", async () => {
  await prepareGivenDatabase(urlWith("team-gateway"));
  await prepareGivenDatabase(urlWith("team-gateway"));
  const connection = await mysql.createConnection(urlWith("team-gateway"));
  const [rows] = await connection.query("SELECT DATABASE() AS name, @@collation_database AS collation");
  expect(rows).toEqual([{ name: "team-gateway", collation: "utf8mb4_unicode_ci" }]);
  await connection.end();
});

test("a server that refuses the user is reported in one line, without the password", async () => {
  const refused = prepareGivenDatabase(urlWith("whatsapp", "guest:hunter2"));
  await expect(refused).rejects.toThrow(/^the database at localhost cannot be used: Access denied for user 'guest'.*$/);
  await expect(refused).rejects.not.toThrow("hunter2");
});

test("a server that cannot be reached is reported in one line", async () => {
  const unreachable = prepareGivenDatabase("mysql://root:hunter2@127.0.0.1:1/whatsapp");
  await expect(unreachable).rejects.toThrow(/^the database at 127.0.0.1:1 cannot be used: .*ECONNREFUSED.*$/);
});

test("a URL without a database is refused", async () => {
  await expect(prepareGivenDatabase("mysql://root@127.0.0.1:1")).rejects.toThrow("names no database");
});
