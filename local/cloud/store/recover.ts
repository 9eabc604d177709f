import { unlink } from "node:fs/promises";
import {
  checkHeader,
  createJournal,
  filePath,
  listNumbers,
  startJournal,
  UnreadableDataError,
} from "./data-directory.ts";
import type { FileKind } from "./data-directory.ts";
import { DataFile } from "./data-file.ts";
import type { PayloadLocation } from "./data-file.ts";
import { scanFrames } from "./scan.ts";
import type { ScanResult } from "./scan.ts";

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
 * A torn end of the last journal is cut off: it was never acknowledged. Throws `UnreadableDataError` when acknowledged
 * data cannot be read, rather than start without it.
 */
export async function recover<R>(directory: string, apply: Apply<R>): Promise<Recovered> {
  const numbers = await listNumbers(directory);
  const first = numbers.snapshot.at(-1) ?? 1;
  const journals = numbers.journal.filter((number) => number >= first);
  const missing = journals.findIndex((number, index) => number !== first + index);
  if (missing !== -1 || (numbers.snapshot.length > 0 && journals.length === 0)) {
    throw new UnreadableDataError(`${filePath(directory, "journal", first + Math.max(missing, 0))} is missing`);
  }

  const snapshot = numbers.snapshot.length > 0 ? await replayWhole(directory, "snapshot", first, apply) : undefined;
  const closed = [];
  for (const number of journals.slice(0, -1)) closed.push(await replayWhole(directory, "journal", number, apply));

  const { last, end } = await openLast(directory, journals.at(-1), apply);
  // Only now that everything could be read:
  for (const kind of ["snapshot", "journal"] as const) {
    for (const number of numbers[kind]) if (number < first) await unlink(filePath(directory, kind, number));
  }
  return { snapshot, closed, last, end };
}

async function openLast<R>(
  directory: string,
  number: number | undefined,
  apply: Apply<R>,
): Promise<Pick<Recovered, "last" | "end">> {
  if (number === undefined) {
    const { file, offset } = await createJournal(directory, 1);
    return { last: { file, number: 1 }, end: { offset, batch: 0 } };
  }
  const { file, scan } = await replay(directory, "journal", number, apply);
  const offset = await cutTornEnd(directory, file, scan);
  return { last: { file, number }, end: { offset, batch: scan.lastBatch } };
}

async function replayWhole<R>(directory: string, kind: FileKind, number: number, apply: Apply<R>) {
  const { file, scan } = await replay(directory, kind, number, apply);
  if (scan.end !== "clean") throw new UnreadableDataError(`${file.path} is damaged at byte ${scan.validBytes}`);
  return { file, bytes: scan.validBytes };
}

async function replay<R>(directory: string, kind: FileKind, number: number, apply: Apply<R>) {
  const file = await DataFile.open(filePath(directory, kind, number), "r+");
  let headerSeen = false;
  const scan = await scanFrames(file, ({ records, payload }) => {
    if (headerSeen) for (const record of records) apply(record as R, payload);
    else checkHeader(file.path, kind, records);
    headerSeen = true;
  });
  return { file, scan };
}

async function cutTornEnd(directory: string, file: DataFile, scan: ScanResult): Promise<number> {
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
  return scan.validBytes === 0 ? startJournal(directory, file) : scan.validBytes;
}
