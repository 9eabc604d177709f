import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { DataFile, syncDirectory, writeFully } from "./data-file.ts";
import { encodeFrame } from "./frame.ts";

/** Data that this version cannot read. The message is for the person at the terminal. */
export class UnreadableDataError extends Error {}

export type FileKind = "journal" | "snapshot";

/** `snapshot-n` holds everything that was written before `journal-n`; later journals follow it in order. */
export function filePath(directory: string, kind: FileKind, number: number): string {
  return join(directory, `${kind}-${String(number).padStart(8, "0")}`);
}

/** The first frame of every file. */
export function headerFrame(kind: FileKind, format: number): Buffer {
  return Buffer.concat(encodeFrame(0, Buffer.from(JSON.stringify([{ format, kind }])), undefined));
}

/** Gives the format that the file was written in. Throws `UnreadableDataError` for one later than `newest`. */
export function parseHeader(path: string, kind: FileKind, records: readonly unknown[], newest: number): number {
  const { format, kind: written } = (records[0] ?? {}) as { format?: unknown; kind?: unknown };
  if (written !== kind || typeof format !== "number") throw new UnreadableDataError(`${path} is no ${kind}`);
  if (format <= newest) return format;
  const needed = "it was written by a newer version of this program, which is needed to read it";
  throw new UnreadableDataError(`${path} has format ${format}, this version reads up to ${newest}: ${needed}`);
}

/** Creates an empty journal, durable with its name. Throws the system's error and then leaves no file. */
export async function createJournal(
  directory: string,
  number: number,
  format: number,
): Promise<{ file: DataFile; offset: number }> {
  const file = await DataFile.open(filePath(directory, "journal", number), "wx+");
  try {
    return { file, offset: await startJournal(directory, file, format) };
  } catch (error) {
    await file.retire();
    throw error;
  }
}

/** Writes the header into an empty journal and gives the offset behind it. */
export async function startJournal(directory: string, file: DataFile, format: number): Promise<number> {
  const header = headerFrame("journal", format);
  await writeFully(file.handle, [header], 0);
  await file.handle.sync();
  await syncDirectory(directory);
  return header.length;
}

/** The numbers of the files of the directory, ascending. Drafts of a snapshot that a crash left are removed. */
export async function listNumbers(directory: string): Promise<Record<FileKind, number[]>> {
  const names = await readdir(directory);
  const drafts = names.filter((name) => /^snapshot-\d+\.tmp$/.test(name));
  for (const name of drafts) await unlink(join(directory, name));
  const numbersOf = (kind: FileKind) => {
    const pattern = new RegExp(`^${kind}-(\\d+)$`);
    const numbers = names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number);
    return numbers.sort((a, b) => a - b);
  };
  return { journal: numbersOf("journal"), snapshot: numbersOf("snapshot") };
}
