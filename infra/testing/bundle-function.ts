import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { build } from "esbuild";
import type { BuildOptions, Metafile } from "esbuild";
import { REPOSITORY } from "../../local/repository.ts";
import { OUTSIDE_BUNDLES } from "../function-bundle.ts";

export type FunctionBundle = {
  /** Where its import begins. */
  file: string;
  /** Every source file in it. */
  sources: string[];
  /** Those that are read when it is imported, before anything asks for the rest. */
  readAtOnce: string[];
  /** The files of the bundle that have them. */
  filesAtOnce: string[];
};

/** What SST puts before each function (pkg/runtime/node/build.go), for packages that are CommonJS inside. */
const BANNER = [
  "import { createRequire as topLevelCreateRequire } from 'module';",
  "const require = topLevelCreateRequire(import.meta.url);",
  'import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url"',
  "const __filename = topLevelFileUrlToPath(import.meta.url)",
  'const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url))',
].join("\n");

/** The settings with which SST 4.17.1 bundles a function of format `esm`, split and minified (pkg/runtime/node/build.go). */
export const functionOptions: BuildOptions = {
  bundle: true,
  platform: "node",
  format: "esm",
  splitting: true,
  outExtension: { ".js": ".mjs" },
  target: "esnext",
  mainFields: ["module", "main"],
  keepNames: true,
  minify: true,
  external: ["sharp", "pg-native", ...OUTSIDE_BUNDLES],
  banner: { js: BANNER },
  logLevel: "silent",
};

/**
 * Bundles a handler such as `functions/api.handler` as a deploy does.
 * @throws when there is no such file, it does not build, or it does not export the handler
 */
export async function bundleFunction(handler: string, directory: string): Promise<FunctionBundle> {
  const [, path, name] = /^(.+)\.([^./]+)$/.exec(handler) ?? [];
  const entry =
    path && [".ts", ".mjs", ".js"].map((end) => join(REPOSITORY, path + end)).find((file) => existsSync(file));
  if (!entry || !name) throw new Error(`Handler not found: ${handler}`);
  const file = join(directory, `${basename(path)}.mjs`);
  const { metafile } = await build({ ...functionOptions, entryPoints: [entry], outdir: directory, metafile: true });
  const [main, output] =
    Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint && resolve(entryPoint) === entry) ?? [];
  if (!main || !output?.exports.includes(name))
    throw new Error(`Handler not found: ${handler}: "${name}" is not exported`);
  const filesAtOnce = reachedAtOnce(main, metafile);
  const readAtOnce = filesAtOnce.flatMap((name) => Object.keys(metafile.outputs[name]?.inputs ?? {}));
  return {
    file,
    sources: Object.keys(metafile.inputs),
    readAtOnce,
    filesAtOnce: filesAtOnce.map((name) => resolve(name)),
  };
}

function reachedAtOnce(main: string, { outputs }: Metafile): string[] {
  const reached = new Set<string>();
  const follow = (name: string) => {
    const output = outputs[name];
    if (!output || reached.has(name)) return;
    reached.add(name);
    for (const { path, kind } of output.imports) if (kind === "import-statement") follow(path);
  };
  follow(main);
  return [...reached];
}
