import { create } from "qrcode/lib/core/qrcode.js";
import { crc32, deflateSync } from "node:zlib";

/** Large enough for a phone to read from a screen. */
const LEAST_PIXELS = 512;
/** Quiet zone in modules: ISO/IEC 18004 asks for four. */
const MARGIN = 4;

/** Black squares on white: the places of the black ones by row and column, the quiet zone counted in `size`. */
type Squares = { size: number; isBlack: (row: number, column: number) => boolean };

function squaresOf(text: string): Squares {
  const { modules } = create(text);
  const isIn = (at: number) => at >= 0 && at < modules.size;
  return {
    size: modules.size + 2 * MARGIN,
    isBlack: (row, column) =>
      isIn(row - MARGIN) && isIn(column - MARGIN) && modules.get(row - MARGIN, column - MARGIN) === 1,
  };
}

/** The QR code of a text as SVG, one unit a square. */
export function qrSvg(text: string): string {
  const { size, isBlack } = squaresOf(text);
  const places = Array.from({ length: size }, (_, at) => at);
  const squares = places.flatMap((row) =>
    places.filter((column) => isBlack(row, column)).map((column) => `M${column} ${row}h1v1h-1z`),
  );
  const box = `viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box}><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${squares.join("")}"/></svg>\n`;
}

/**
 * The QR code of a text as PNG, at least 512 pixels a side. In grey with one bit a pixel, without filters (W3C PNG, third
 * edition, 11.2): a writer of all kinds of PNG is 10 KB more of every deploy.
 */
export function qrPng(text: string): Buffer {
  const { size, isBlack } = squaresOf(text);
  const scale = Math.ceil(LEAST_PIXELS / size);
  const width = size * scale;
  const bytesPerLine = 1 + Math.ceil(width / 8);
  const lines = Buffer.alloc(bytesPerLine * width);
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < width; x++) {
      if (isBlack(Math.floor(y / scale), Math.floor(x / scale))) continue;
      const at = y * bytesPerLine + 1 + (x >> 3);
      lines[at] = (lines[at] ?? 0) | (0x80 >> (x & 7));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(width, 4);
  header[8] = 1;
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(lines)), chunk("IEND")]);
}

function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}
