import { unlink } from "node:fs/promises";
import {
  createJournal,
  filePath,
  listNumbers,
  parseHeader,
  startJournal,
  UnreadableDataError,
} from "./data-directory.ts";
import type { FileKind } from "./data-directory.ts";
import { DataFile } from "./data-file.ts";
import type { PayloadLocation } from "./data-file.ts";
import { scanFrames } from "./scan.ts";
import type { ScanResult } from "./scan.ts";

/** Where the files are, the format of this version, and what takes the records. */
type Replay<R> = { directory: string; format: number; apply: Apply<R> };

type Apply<R> = (record: R, payload: PayloadLocation | undefined) => void;

/** The files that memory was built from. The last journal is the one to go on with, at `end`. */
export type Recovered = {
  snapshot: { file: DataFile; bytes: number } | undefined;
  /** Journals before the last: whole, and only read from now on. */
  closed: { file: DataFile; bytes: number }[];
  last: { file: DataFile; number: number };
  end: { offset: number; batch: number };
};

/**
 * Replays the newest snapshot and the journals after it into `apply`, and removes what an unfinished compaction left.
 * A torn end of the last journal is cut off: it was never acknowledged. A last journal of an earlier format is not gone on
 * with, so that no program of that time takes it for one it understands. Throws `UnreadableDataError` when acknowledged
 * data cannot be read, rather than start without it.
 */
export async function recover<R>(directory: string, format: number, apply: Apply<R>): Promise<Recovered> {
  const reading = { directory, format, apply };
  const numbers = await listNumbers(directory);
  const first = numbers.snapshot.at(-1) ?? 1;
  const journals = numbers.journal.filter((number) => number >= first);
  const missing = journals.findIndex((number, index) => number !== first + index);
  if (missing !== -1 || (numbers.snapshot.length > 0 && journals.length === 0)) {
    throw new UnreadableDataError(`${filePath(directory, "journal", first + Math.max(missing, 0))} is missing`);
  }

  const snapshot = numbers.snapshot.length > 0 ? await replayWhole(reading, "snapshot", first) : undefined;
  const closed = [];
  for (const number of journals.slice(0, -1)) closed.push(await replayWhole(reading, "journal", number));

  const { earlier, last, end } = await openLast(reading, journals.at(-1));
  closed.push(...earlier);
  // Only now that everything could be read:
  for (const kind of ["snapshot", "journal"] as const) {
    for (const number of numbers[kind]) if (number < first) await unlink(filePath(directory, kind, number));
  }
  return { snapshot, closed, last, end };
}

type Opened = Pick<Recovered, "last" | "end"> & { earlier: Recovered["closed"] };

async function openLast<R>(reading: Replay<R>, number: number | undefined): Promise<Opened> {
  if (number === undefined) return openNew(reading, 1, []);
  const { file, scan, written } = await replay(reading, "journal", number);
  const offset = await cutTornEnd(reading, file, scan);
  if (written < reading.format) return openNew(reading, number + 1, [{ file, bytes: offset }]);
  return { last: { file, number }, end: { offset, batch: scan.lastBatch }, earlier: [] };
}

async function openNew<R>(
  { directory, format }: Replay<R>,
  number: number,
  earlier: Recovered["closed"],
): Promise<Opened> {
  const { file, offset } = await createJournal(directory, number, format);
  return { last: { file, number }, end: { offset, batch: 0 }, earlier };
}

async function replayWhole<R>(reading: Replay<R>, kind: FileKind, number: number) {
  const { file, scan } = await replay(reading, kind, number);
  if (scan.end !== "clean") throw new UnreadableDataError(`${file.path} is damaged at byte ${scan.validBytes}`);
  return { file, bytes: scan.validBytes };
}

async function replay<R>({ directory, format, apply }: Replay<R>, kind: FileKind, number: number) {
  const file = await DataFile.open(filePath(directory, kind, number), "r+");
  let written: number | undefined;
  const scan = await scanFrames(file, ({ records, payload }) => {
    if (written === undefined) written = parseHeader(file.path, kind, records, format);
    else for (const record of records) apply(record as R, payload);
  });
  return { file, scan, written: written ?? format };
}

async function cutTornEnd<R>({ directory, format }: Replay<R>, file: DataFile, scan: ScanResult): Promise<number> {
  if (scan.end === "damaged") {
    throw new UnreadableDataError(
      `${file.path} is damaged at byte ${scan.validBytes}, before data that was acknowledged`,
    );
  }
  if (scan.end === "torn") {
    await file.handle.truncate(scan.validBytes);
    await file.handle.sync();
  }
  // A crash while the file was created leaves it without its header.
  return scan.validBytes === 0 ? startJournal(directory, file, format) : scan.validBytes;
}
