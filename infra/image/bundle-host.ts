/** `node --import tsx infra/image/bundle-host.ts DIR`: makes what the container runs, as socket-host/Dockerfile does. */
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MODULES = join(ROOT, "node_modules");
/** Brings programs for the processor that it runs on, so it cannot be bundled. */
const NATIVE = "sharp";
/** Baileys looks for these and does without them. */
const ABSENT = ["jimp", "link-preview-js", "audio-decode"];
/** Packages that are CommonJS inside ask for these as if they were. */
const BANNER = `import { createRequire } from "node:module";
import { dirname as dirnameOf } from "node:path";
import { fileURLToPath as pathOf } from "node:url";
const require = createRequire(import.meta.url), __filename = pathOf(import.meta.url), __dirname = dirnameOf(__filename);`;

type Manifest = { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> };

/**
 * Writes `host.mjs` and the packages that cannot be bundled into it. Nothing else is needed to run it.
 * @param directory made if it is missing
 */
export async function bundleHost(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await build({
    entryPoints: [join(ROOT, "socket-host/main.ts")],
    outfile: join(directory, "host.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    mainFields: ["module", "main"],
    keepNames: true,
    // Names and lines in a stack trace are worth more here than bytes.
    sourcemap: "linked",
    external: [NATIVE, ...ABSENT],
    banner: { js: BANNER },
    logLevel: "error",
  });
  for (const name of await withDependencies(NATIVE)) {
    await cp(join(MODULES, name), join(directory, "node_modules", name), { recursive: true });
  }
}

/** The package and all that it needs, of what is installed for this system. */
async function withDependencies(name: string, known = new Set<string>()): Promise<Set<string>> {
  const text = await readFile(join(MODULES, name, "package.json"), "utf8").catch(() => undefined);
  if (text === undefined || known.has(name)) return known;
  known.add(name);
  const { dependencies, optionalDependencies } = JSON.parse(text) as Manifest;
  for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) await withDependencies(needed, known);
  return known;
}

const [, program, directory] = process.argv;
if (program === fileURLToPath(import.meta.url) && directory) await bundleHost(directory);
