import { filePath, headerFrame } from "./data-directory.ts";
import { DataFile, readPayload, syncDirectory, writeFully } from "./data-file.ts";
import type { PayloadLocation } from "./data-file.ts";
import { encodeFrame, FRAME_HEADER_BYTES } from "./frame.ts";

/** One record that recreates a part of the state as it was at the moment of capture, with the payload it refers to. */
export type Captured<R> = { record: R; payload?: PayloadLocation };

/**
 * Writes `snapshot-<number>` with everything in `captured` and makes it durable under its name; then moves the payloads'
 * locations to it. Requests are served meanwhile. Throws the system's error, or the
 * reason of `signal`, and then leaves everything as it was.
 */
export async function writeSnapshot<R>(
  { directory, number, format }: { directory: string; number: number; format: number },
  captured: Iterable<Captured<R>>,
  signal: AbortSignal,
): Promise<{ file: DataFile; bytes: number }> {
  const path = filePath(directory, "snapshot", number);
  const file = await DataFile.open(`${path}.tmp`, "wx+");
  try {
    const { bytes, moves } = await writeRecords(file, headerFrame("snapshot", format), captured, signal);
    await file.handle.sync();
    await file.rename(path);
    await syncDirectory(directory);
    for (const { payload, offset } of moves) Object.assign(payload, { file, offset });
    return { file, bytes };
  } catch (error) {
    await file.retire();
    throw error;
  }
}

/** Payloads are read together, because one after the other the waiting takes most of the time; up to these bounds. */
const READ_AT_ONCE = 64;
const READ_AT_ONCE_BYTES = 4 * 1024 * 1024;

type Move = { payload: PayloadLocation; offset: number };

async function writeRecords<R>(file: DataFile, header: Buffer, captured: Iterable<Captured<R>>, signal: AbortSignal) {
  await writeFully(file.handle, [header], 0);
  const moves: Move[] = [];
  let written = header.length;
  for (const group of inGroups(captured)) {
    signal.throwIfAborted();
    const contents = await Promise.all(group.map(async ({ payload }) => payload && readPayload(payload)));
    const chunk: Uint8Array[] = [];
    let offset = written;
    for (const [index, { record, payload }] of group.entries()) {
      const records = Buffer.from(JSON.stringify([record]));
      if (payload) moves.push({ payload, offset: offset + FRAME_HEADER_BYTES + records.length });
      for (const part of encodeFrame(1, records, contents[index])) {
        chunk.push(part);
        offset += part.length;
      }
    }
    await writeFully(file.handle, chunk, written);
    written = offset;
  }
  return { bytes: written, moves };
}

function* inGroups<R>(captured: Iterable<Captured<R>>): Generator<Captured<R>[]> {
  let group: Captured<R>[] = [];
  let bytes = 0;
  for (const entry of captured) {
    group.push(entry);
    bytes += entry.payload?.length ?? 0;
    if (group.length < READ_AT_ONCE && bytes < READ_AT_ONCE_BYTES) continue;
    yield group;
    group = [];
    bytes = 0;
  }
  if (group.length > 0) yield group;
}
