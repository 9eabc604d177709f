import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { LaunchError } from "./launch-error.ts";
import { REPOSITORY } from "./repository.ts";
import { runScript } from "./run-script.ts";

const FOLDER = join(REPOSITORY, "bench");

/**
 * `npm run bench [-- NAME …]`: runs the measurements `bench/NAME.ts`, all of them when none is named, one after the
 * other. What they share lies in folders of `bench/`. @returns the exit code
 */
export async function bench(args: string[]): Promise<number> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const known = files.map((name) => name.slice(0, -".ts".length)).toSorted();
  const unknown = args.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new LaunchError(`there is no bench "${unknown}"; there are: ${known.join(", ")}`);
  let failures = 0;
  for (const name of args.length > 0 ? args : known) {
    if ((await runScript(`bench/${name}.ts`, [])) !== 0) failures++;
  }
  return failures === 0 ? 0 : 1;
}
