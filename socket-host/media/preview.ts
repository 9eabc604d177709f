import sharp from "sharp";

/** As wide as Baileys makes it (lib/Utils/messages-media.js, extractImageThumb): what is seen while the file is loaded. */
const THUMBNAIL_WIDTH = 32;
const THUMBNAIL_QUALITY = 50;
/** An image of more is not looked into: it may be small as a file and fill the memory. */
const MAX_PIXELS = 100_000_000;

// Nothing is looked at twice, and one image at a time bounds the memory.
sharp.cache(false);
sharp.concurrency(1);

/** The size of an image as it is seen, and a small one of it. Undefined for what cannot be read. */
export async function previewOf(
  path: string,
): Promise<{ jpegThumbnail: Buffer; width: number; height: number } | undefined> {
  try {
    const image = sharp(path, { limitInputPixels: MAX_PIXELS, sequentialRead: true });
    const { autoOrient } = await image.metadata();
    const jpegThumbnail = await image
      .autoOrient()
      .resize(THUMBNAIL_WIDTH)
      .jpeg({ quality: THUMBNAIL_QUALITY })
      .toBuffer();
    return { jpegThumbnail, width: autoOrient.width, height: autoOrient.height };
  } catch {
    return undefined;
  }
}
