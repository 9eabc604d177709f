import { writeFile } from "node:fs/promises";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { Scratch } from "../../shared/scratch.ts";
import { previewOf } from "./preview.ts";

const scratch = new Scratch();
afterAll(() => scratch.dispose());

async function fileOf(content: Buffer): Promise<string> {
  const path = await scratch.path();
  await writeFile(path, content);
  return path;
}
const image = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: "#369" } });

test("an image has the size in which it is seen, and a small picture of it", async () => {
  // Taken with the camera on its side (Exif orientation 6).
  const turned = await image(400, 200).withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const preview = await previewOf(await fileOf(turned));
  expect(preview).toMatchObject({ width: 200, height: 400 });
  expect(await sharp(preview?.jpegThumbnail).metadata()).toMatchObject({ format: "jpeg", width: 32, height: 64 });
});

test("what is no image, or one that would fill the memory, has none", async () => {
  expect(await previewOf(await fileOf(Buffer.from("no image")))).toBeUndefined();
  const bomb = await image(12_000, 12_000).png({ compressionLevel: 1 }).toBuffer();
  expect(await previewOf(await fileOf(bomb))).toBeUndefined();
});
