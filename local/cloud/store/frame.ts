import { crc32 } from "node:zlib";

/**
 * The unit of writing: the records of one transaction and at most one payload, which take effect together or not at all.
 *
 * Layout, little endian: magic (4 bytes), batch (4), length of the records (4), length of the payload (4), CRC32 over
 * the 16 bytes before it and all that follows (4), the records as a JSON array, the payload as it is.
 *
 * `batch` counts the groups of frames that were made durable together within one file. A frame of batch n exists only
 * after batch n-1 was acknowledged, which is how a torn end (last batch) is told from damage (an earlier one).
 */
export type FrameHeader = { batch: number; recordBytes: number; payloadBytes: number; checksum: number };

const MAGIC = 0x3143_4c47;
export const FRAME_HEADER_BYTES = 20;
const CHECKED_HEADER_BYTES = 16;
/** Far above anything that is written (a queue message has at most 1 MiB): a longer length is damage. */
const LONGEST_PART_BYTES = 64 * 1024 * 1024;

/** A frame as the buffers to write one after the other; the payload is not copied. */
export function encodeFrame(batch: number, records: Buffer, payload: Uint8Array | undefined): Uint8Array[] {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(batch, 4);
  header.writeUInt32LE(records.length, 8);
  header.writeUInt32LE(payload?.length ?? 0, 12);
  let checksum = crc32(records, crc32(header.subarray(0, CHECKED_HEADER_BYTES)));
  if (payload) checksum = crc32(payload, checksum);
  header.writeUInt32LE(checksum, CHECKED_HEADER_BYTES);
  return payload?.length ? [header, records, payload] : [header, records];
}

/** The header at `offset`, or undefined where no frame can begin. */
export function decodeFrameHeader(bytes: Buffer, offset: number): FrameHeader | undefined {
  if (bytes.readUInt32LE(offset) !== MAGIC) return undefined;
  const recordBytes = bytes.readUInt32LE(offset + 8);
  const payloadBytes = bytes.readUInt32LE(offset + 12);
  if (recordBytes > LONGEST_PART_BYTES || payloadBytes > LONGEST_PART_BYTES) return undefined;
  const checksum = bytes.readUInt32LE(offset + CHECKED_HEADER_BYTES);
  return { batch: bytes.readUInt32LE(offset + 4), recordBytes, payloadBytes, checksum };
}

/** Whether the whole frame in `bytes` is as it was written. */
export function frameIsIntact(bytes: Buffer, header: FrameHeader): boolean {
  const checked = crc32(bytes.subarray(0, CHECKED_HEADER_BYTES));
  return crc32(bytes.subarray(FRAME_HEADER_BYTES), checked) === header.checksum;
}
