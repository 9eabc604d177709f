import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { LaunchError } from "../launch-error.ts";

const FORMAT = 1;
const manifestSchema = z.object({
  format: z.literal(FORMAT),
  createdAt: z.iso.datetime(),
  /** Tells this installation from others. */
  installation: z.string().min(1),
  /** The names of the migrations that the tables have had. */
  migrations: z.array(z.string()),
});

/** What a backup says about itself: the file `manifest.json`, written last. */
export type Manifest = z.infer<typeof manifestSchema>;

const pathOf = (directory: string) => join(directory, "manifest.json");

export const manifestText = (manifest: Omit<Manifest, "format">) =>
  `${JSON.stringify({ format: FORMAT, ...manifest }, undefined, 2)}\n`;

/** Throws `LaunchError` when the directory holds no whole backup, or one of a newer version. */
export async function readManifest(directory: string): Promise<Manifest> {
  const text = await readFile(pathOf(directory), "utf8").catch(() => undefined);
  if (text === undefined) throw new LaunchError(`${directory} holds no whole backup: manifest.json is missing`);
  const result = manifestSchema.safeParse(JSON.parse(text));
  if (result.success) return result.data;
  throw new LaunchError(`${directory} holds a backup that this version cannot read: ${z.prettifyError(result.error)}`);
}
