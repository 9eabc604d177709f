import sharp from "sharp";
import { expect, test } from "vitest";
import { qrPng, qrSvg } from "./qr-picture.ts";

// As long as those of WhatsApp.
const TEXT = `2@${"Vk3+".repeat(12)},${"Nq0/".repeat(11)},${"bP1=".repeat(11)},${"zT8A".repeat(11)},1`;

test("both pictures show the same squares, with a quiet zone, and the PNG's can be read from a screen", async () => {
  const png = await sharp(qrPng(TEXT)).greyscale().raw().toBuffer({ resolveWithObject: true });
  const svg = qrSvg(TEXT);
  const size = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]);
  const { width, height } = png.info;
  expect([width === height, width >= 512, width % size]).toEqual([true, true, 0]);
  const scale = width / size;
  const inSvg = new Set(Array.from(svg.matchAll(/M(\d+) (\d+)h1v1h-1z/g), ([, x, y]) => `${x},${y}`));
  const inPng = new Set<string>();
  for (let at = 0; at < width * width; at++) {
    if (png.data[at * png.info.channels] === 0)
      inPng.add(`${Math.floor((at % width) / scale)},${Math.floor(at / width / scale)}`);
  }
  expect(inPng).toEqual(inSvg);
  // The corners that a reader looks for (ISO/IEC 18004, 6.3.3) lie at the edge of the quiet zone.
  for (const corner of ["4,4", `${size - 5},4`, `4,${size - 5}`]) expect(inPng.has(corner), corner).toBe(true);
  expect([...inPng].filter((place) => place.split(",").some((part) => Number(part) < 4))).toEqual([]);
});
