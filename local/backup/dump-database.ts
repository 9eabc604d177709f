import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import mysql from "mysql2";
import type { RowDataPacket, TypeCastField } from "mysql2";
import type { Connection } from "mysql2/promise";

/** A statement stays far below `max_allowed_packet`, 16 MB where nobody has changed it. */
const STATEMENT_BYTES = 1_000_000;
const BINARY_TYPES = new Set(["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit"]);

type Column = { name: string; isBinary: boolean };

/**
 * Writes every table as SQL, one statement a line, gzipped, all as of one moment. Values are written as hexadecimal
 * bytes, so that nothing in them has a meaning. Made here and not by the server's own program, which is of the server's
 * version, or missing.
 * @returns the names of the migrations that the tables have had
 */
export async function dumpDatabase(url: string, file: string): Promise<string[]> {
  // Of the two kinds of connection only this one gives rows one by one.
  const streaming = mysql.createConnection({ uri: url, timezone: "Z", charset: "utf8mb4_unicode_ci" });
  const connection = streaming.promise();
  try {
    await connection.query("SET SESSION time_zone = '+00:00'");
    await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    const target = createWriteStream(file, { mode: 0o600 });
    await pipeline(Readable.from(statements(connection, streaming)), createGzip(), target);
    const [rows] = await connection.query<RowDataPacket[]>("SELECT name FROM schema_migrations ORDER BY name");
    return rows.map((row) => String(row["name"]));
  } finally {
    await connection.end();
  }
}

async function* statements(connection: Connection, streaming: mysql.Connection): AsyncGenerator<string> {
  const [tables] = await connection.query<RowDataPacket[]>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'",
  );
  for (const { name } of tables as { name: string }[]) {
    const [[definition]] = await connection.query<RowDataPacket[]>("SHOW CREATE TABLE ??", [name]);
    yield `${mysql.format("DROP TABLE IF EXISTS ??", [name])}\n`;
    yield `${String(definition?.["Create Table"]).replaceAll("\n", " ")}\n`;
    yield* rowsOf(streaming, name, await columnsOf(connection, name));
  }
}

async function* rowsOf(streaming: mysql.Connection, table: string, columns: Column[]): AsyncGenerator<string> {
  const names = columns.map(({ name }) => mysql.escapeId(name)).join(", ");
  const typeCast = (field: TypeCastField) => field.buffer();
  const rows = streaming
    .query({ sql: `SELECT ${names} FROM ${mysql.escapeId(table)}`, rowsAsArray: true, typeCast })
    .stream();
  const start = `INSERT INTO ${mysql.escapeId(table)} (${names}) VALUES `;
  let values: string[] = [];
  let bytes = 0;
  for await (const row of rows as AsyncIterable<(Buffer | null)[]>) {
    const text = `(${columns.map((column, index) => literal(row[index] ?? null, column)).join(",")})`;
    values.push(text);
    bytes += text.length;
    if (bytes < STATEMENT_BYTES) continue;
    yield `${start}${values.join(",")}\n`;
    values = [];
    bytes = 0;
  }
  if (values.length > 0) yield `${start}${values.join(",")}\n`;
}

function literal(value: Buffer | null, { isBinary }: Column): string {
  if (value === null) return "NULL";
  return `${isBinary ? "" : "_utf8mb4 "}X'${value.toString("hex")}'`;
}

/** But those that the server computes. */
async function columnsOf(connection: Connection, table: string): Promise<Column[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT column_name AS name, data_type AS type FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = ?
       AND extra NOT LIKE '%VIRTUAL GENERATED%' AND extra NOT LIKE '%STORED GENERATED%'
     ORDER BY ordinal_position`,
    [table],
  );
  return rows.map((row) => ({ name: String(row["name"]), isBinary: BINARY_TYPES.has(String(row["type"])) }));
}
