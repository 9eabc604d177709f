import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Replaces a file, owner only, durably and in one step: readers and crashes see the old content or the new. */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  const draft = `${path}.tmp`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const directory = await open(dirname(path), "r");
  await directory.sync();
  await directory.close();
}
