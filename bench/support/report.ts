import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";

/** Prints a measurement and keeps it in `bench/results/<name>.json`, with the machine it was made on. */
export async function report(name: string, figures: Record<string, unknown>): Promise<void> {
  const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model };
  const text = JSON.stringify({ name, measuredAt: new Date().toISOString(), machine, ...figures }, null, 2);
  const directory = new URL("../results/", import.meta.url);
  await mkdir(directory, { recursive: true });
  await writeFile(new URL(`${name}.json`, directory), `${text}\n`);
  console.log(text);
}
