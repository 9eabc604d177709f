import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import mysql from "mysql2/promise";

/** Runs a file of `dumpDatabase`. Tables of the same names are replaced. */
export async function loadDatabase(url: string, file: string): Promise<void> {
  const connection = await mysql.createConnection({ uri: url, timezone: "Z", charset: "utf8mb4_unicode_ci" });
  try {
    await connection.query(
      "SET SESSION time_zone = '+00:00', foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    );
    const lines = createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Infinity });
    for await (const statement of lines) await connection.query(statement);
  } finally {
    await connection.end();
  }
}
