import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { build, stop } from "esbuild";
import { REPOSITORY } from "./repository.ts";

/** The path of a program in JavaScript, by that of its source, relative to the checkout. */
export type Programs = (source: string) => string;

/** Builds under way; the compiler's process is shared by them, and would stay when they are done. */
let builds = 0;

/**
 * Makes what the processes of this machine run: plain JavaScript, which starts in half the time that compiling each module at
 * its import takes. Packages stay where they are. It is made at each start, so all processes run
 * the code of one moment, also those that are started again after the checkout has changed.
 * @param sources entries, relative to the checkout; a child that runs one ends when its parent does, see `orphan-guard.ts`
 * @param directory made anew
 */
export async function buildPrograms(sources: readonly string[], directory: string): Promise<Programs> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  // Packages are looked for beside the program and above it. A junction is what Windows lets everybody make.
  await symlink(join(REPOSITORY, "node_modules"), join(directory, "node_modules"), "junction");
  builds += 1;
  try {
    await build({
      absWorkingDir: REPOSITORY,
      entryPoints: [...sources],
      outbase: REPOSITORY,
      outdir: directory,
      outExtension: { ".js": ".mjs" },
      inject: ["local/orphan-guard.ts"],
      bundle: true,
      splitting: true,
      packages: "external",
      platform: "node",
      format: "esm",
      target: "node20",
      sourcemap: "linked",
      sourcesContent: false,
      logLevel: "silent",
    });
  } finally {
    builds -= 1;
    if (builds === 0) await stop();
  }
  return (source) => join(directory, source.replace(/\.ts$/, ".mjs"));
}
