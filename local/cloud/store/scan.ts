import { decodeFrameHeader, FRAME_HEADER_BYTES, frameIsIntact } from "./frame.ts";
import type { FrameHeader } from "./frame.ts";
import type { DataFile, PayloadLocation } from "./data-file.ts";

type ScannedFrame = { records: unknown[]; payload: PayloadLocation | undefined };

/**
 * How a file ends. `torn`: what follows `validBytes` is the last group of frames, cut short by a crash before it was
 * acknowledged. `damaged`: a later group follows, so acknowledged frames in between cannot be read any more.
 */
export type ScanResult = { validBytes: number; lastBatch: number; end: "clean" | "torn" | "damaged" };

const WINDOW_BYTES = 1024 * 1024;

/** Reads a file from its beginning, frame by frame; memory does not grow with the file. Throws the system's errors. */
export async function scanFrames(file: DataFile, onFrame: (frame: ScannedFrame) => void): Promise<ScanResult> {
  const { size } = await file.handle.stat();
  const read = openWindow(file);
  let offset = 0;
  let lastBatch = 0;
  while (offset < size) {
    const frame = await readFrame(read, offset);
    if (!frame) {
      const damaged = await laterBatchFollows(read, offset, size, lastBatch);
      return { validBytes: offset, lastBatch, end: damaged ? "damaged" : "torn" };
    }
    const { header, bytes } = frame;
    const payloadOffset = FRAME_HEADER_BYTES + header.recordBytes;
    const records = JSON.parse(bytes.toString("utf8", FRAME_HEADER_BYTES, payloadOffset)) as unknown[];
    const payload = { file, offset: offset + payloadOffset, length: header.payloadBytes };
    onFrame({ records, payload: header.payloadBytes > 0 ? payload : undefined });
    offset += bytes.length;
    lastBatch = header.batch;
  }
  return { validBytes: offset, lastBatch, end: "clean" };
}

type ReadWindow = (offset: number, length: number) => Promise<Buffer | undefined>;

/** Reads ahead; gives undefined for a range that ends after the file. What it gave is overwritten by a later call. */
function openWindow(file: DataFile): ReadWindow {
  const window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  let start = 0;
  let bytes = Buffer.alloc(0);
  return async (offset, length) => {
    if (offset < start || offset + length > start + bytes.length) {
      const next = length > WINDOW_BYTES ? Buffer.allocUnsafeSlow(length) : window;
      let filled = 0;
      while (filled < next.length) {
        const { bytesRead } = await file.handle.read(next, filled, next.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      start = offset;
      bytes = next.subarray(0, filled);
    }
    const from = offset - start;
    return from + length <= bytes.length ? bytes.subarray(from, from + length) : undefined;
  };
}

async function readFrame(
  read: ReadWindow,
  offset: number,
): Promise<{ header: FrameHeader; bytes: Buffer } | undefined> {
  const head = await read(offset, FRAME_HEADER_BYTES);
  const header = head && decodeFrameHeader(head, 0);
  if (!header) return undefined;
  const bytes = await read(offset, FRAME_HEADER_BYTES + header.recordBytes + header.payloadBytes);
  return bytes && frameIsIntact(bytes, header) ? { header, bytes } : undefined;
}

/** Searches behind an unreadable frame for one of a group that was written only after the unreadable one was durable. */
async function laterBatchFollows(read: ReadWindow, from: number, size: number, lastBatch: number): Promise<boolean> {
  for (let start = from + 1; start < size; start += WINDOW_BYTES) {
    const part = await read(start, Math.min(WINDOW_BYTES, size - start));
    if (!part) return false;
    const candidates = findFrames(Buffer.from(part), lastBatch + 2).map((offset) => start + offset);
    for (const offset of candidates) if (await readFrame(read, offset)) return true;
  }
  return false;
}

/** Where frames of group `batch` or later seem to begin. (One that begins in the last bytes would be followed by more.) */
function findFrames(bytes: Buffer, batch: number): number[] {
  const found = [];
  for (let offset = 0; offset + FRAME_HEADER_BYTES <= bytes.length; offset += 1) {
    const header = decodeFrameHeader(bytes, offset);
    if (header && header.batch >= batch) found.push(offset);
  }
  return found;
}
