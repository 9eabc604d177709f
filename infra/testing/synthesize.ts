import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import { inheritedEnvironment } from "../../shared/config.ts";
import { REPOSITORY } from "../../local/repository.ts";
import { bundleFunction } from "./bundle-function.ts";
import { recordedSchema } from "./graph.ts";
import type { Graph } from "./graph.ts";
import { PLATFORM } from "./platform.ts";

export type Stage = {
  stage: string;
  /** As `sst dev` runs it: functions and hosts on the developer's machine. */
  dev?: boolean;
  secrets: Record<string, string>;
  /** Changes to the text of files, by their path in the repository: how a fault is seeded. */
  patches?: Record<string, (source: string) => string>;
};

const CONFIG = join(REPOSITORY, "sst.config.ts");
const DEADLINE_MS = 180_000;
/** Packages that the platform brings; the program is written beside them so that it finds them. */
const OUTSIDE = [
  "@pulumi/*",
  "@pulumiverse/*",
  "@sst-provider/*",
  "@aws-sdk/*",
  "undici",
  "esbuild",
  "archiver",
  "glob",
  "vite",
];
const NODE_BANNER = `import { createRequire as topLevelCreateRequire } from "module";
const require = topLevelCreateRequire(import.meta.url);
import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url";
const __filename = topLevelFileUrlToPath(import.meta.url);
const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url));`;

/**
 * Runs the real sst.config.ts with SST's real components as a deploy of the stage does, with Pulumi's mock engine in the
 * place of AWS: no account, no network. Handlers are really bundled.
 * @throws with what SST or the configuration said when it refuses
 */
export async function synthesize(options: Stage): Promise<Graph> {
  const scratch = await mkdtemp(join(tmpdir(), "synthesis-"));
  const program = join(PLATFORM, `program.${process.pid}.${scratch.slice(-6)}.mjs`);
  const resultFile = join(scratch, "graph.json");
  const app = { ...(await readApp(options, scratch)), stage: options.stage };
  const commandLine = await startCommandLine(scratch);
  try {
    await bundleProgram(program, options, app, { scratch, resultFile });
    const said = await run(program, commandLine.url, options.secrets);
    const text = await readFile(resultFile, "utf8").catch(() => undefined);
    if (text === undefined) throw new Error(`sst.config.ts cannot be run for ${options.stage}:\n${said}`);
    const { builds, liveFunctions, unknownRequests } = commandLine;
    return { ...recordedSchema.parse(JSON.parse(text)), app, builds, liveFunctions, unknownRequests };
  } finally {
    commandLine.close();
    await rm(program, { force: true });
    await rm(scratch, { recursive: true, force: true });
  }
}

type App = Pick<Graph["app"], "removal" | "protect" | "providers"> & { name: string; home: string };

/** What app() of the configuration says about the stage. */
async function readApp(options: Stage, scratch: string): Promise<App> {
  const outfile = join(scratch, "app.mjs");
  const contents = `import config from ${JSON.stringify(CONFIG)}; export default config.app({ stage: ${JSON.stringify(options.stage)} });`;
  await build({
    stdin: { contents, resolveDir: REPOSITORY, loader: "ts" },
    banner: { js: "const $config = (config) => config;" },
    bundle: true,
    format: "esm",
    platform: "node",
    outfile,
    logLevel: "silent",
    // run() is not called here; what it imports is SST's business.
    external: ["./infra/*"],
  });
  const module = (await import(pathToFileURL(outfile).href)) as { default: App };
  return module.default;
}

/** The program that SST's command line makes of the configuration (pkg/project/run.go), with another engine under it. */
async function bundleProgram(
  outfile: string,
  { stage, dev = false, patches = {} }: Stage,
  app: App,
  { scratch, resultFile }: { scratch: string; resultFile: string },
): Promise<void> {
  const place = { app: app.name, stage, resultFile };
  const cli = {
    command: "diff",
    dev,
    rpc: "",
    home: app.home,
    paths: { home: join(scratch, "home"), root: REPOSITORY, work: join(REPOSITORY, ".sst"), platform: PLATFORM },
    state: { version: {} },
  };
  const contents = `
    import { recordGraph } from ${JSON.stringify(join(import.meta.dirname, "engine.mjs"))};
    import { run } from ${JSON.stringify(join(PLATFORM, "src/auto/run.ts"))};
    import config from ${JSON.stringify(CONFIG)};
    await recordGraph(${JSON.stringify(place)}, () => run(config.run));`;
  await build({
    stdin: { contents, resolveDir: REPOSITORY, sourcefile: "program.ts", loader: "ts" },
    banner: { js: NODE_BANNER },
    bundle: true,
    format: "esm",
    platform: "node",
    mainFields: ["module", "main"],
    outfile,
    logLevel: "silent",
    sourcemap: "inline",
    nodePaths: [join(PLATFORM, "node_modules")],
    external: OUTSIDE,
    define: { $app: JSON.stringify(app), $cli: JSON.stringify(cli), $dev: String(dev) },
    inject: [join(PLATFORM, "src/shim/run.js")],
    plugins: [sourcePlugin(patches)],
  });
}

/** SST gives the project's files its globals; the patches come on top. */
function sourcePlugin(patches: NonNullable<Stage["patches"]>): Plugin {
  const globals = [
    'import * as aws from "@pulumi/aws";',
    `import * as sst from ${JSON.stringify(join(PLATFORM, "src/components"))};`,
  ].join("\n");
  return {
    name: "project files",
    setup(context) {
      context.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const name = relative(REPOSITORY, path);
        if (name.startsWith(".sst") || name.includes("node_modules")) return undefined;
        const source = await readFile(path, "utf8");
        const patched = patches[name]?.(source) ?? source;
        if (patches[name] && patched === source) throw new Error(`the patch of ${name} changes nothing`);
        return { contents: `${globals}\n${patched}`, loader: extname(path) === ".ts" ? "ts" : "js" };
      });
    },
  };
}

type Request = { method: string; params: [{ functionID: string; handler: string; links?: Record<string, never> }] };

/** Stands in for SST's command line, which components ask over HTTP to bundle functions, among other things. */
async function startCommandLine(scratch: string) {
  const builds: Graph["builds"] = {};
  const liveFunctions: string[] = [];
  const unknownRequests: string[] = [];

  async function answer({ method, params: [request] }: Request): Promise<unknown> {
    if (method === "Provider.Aws.Bootstrap") {
      return {
        asset: "sst-asset",
        state: "sst-state",
        assetEcrRegistryId: "123456789012",
        assetEcrUrl: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sst-asset",
        appsyncHttp: "",
        appsyncRealtime: "",
      };
    }
    if (method === "Provider.Aws.Appsync") return { http: "appsync.invalid", realtime: "appsync.invalid" };
    if (method === "Runtime.AddTarget") return liveFunctions.push(request.functionID) > 0;
    if (method !== "Runtime.Build") {
      unknownRequests.push(method);
      return undefined;
    }
    builds[request.functionID] = { handler: request.handler, links: request.links ?? {} };
    const out = join(scratch, request.functionID);
    try {
      await bundleFunction(request.handler, out);
      return { handler: request.handler, out, errors: [], sourcemaps: [] };
    } catch (error) {
      return { handler: "", out: "", errors: [error instanceof Error ? error.message : String(error)], sourcemaps: [] };
    }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      void answer(JSON.parse(Buffer.concat(chunks).toString()) as Request).then((result) =>
        response.end(JSON.stringify({ result, error: null })),
      );
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, builds, liveFunctions, unknownRequests, close: () => server.close() };
}

async function run(program: string, server: string, secrets: Record<string, string>): Promise<string> {
  const { PATH, HOME } = inheritedEnvironment();
  const asVariables = Object.entries(secrets).map(([name, value]) => [`SST_SECRET_${name}`, value]);
  const child = spawn(process.execPath, ["--no-deprecation", "--enable-source-maps", program], {
    cwd: REPOSITORY,
    env: {
      PATH,
      HOME,
      SST_SERVER: server,
      SST_AWS_REGION: "eu-west-1",
      AWS_REGION: "eu-west-1",
      AWS_EC2_METADATA_DISABLED: "true",
      ...Object.fromEntries(asVariables),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const deadline = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  const ended = await new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)));
  clearTimeout(deadline);
  return `${Buffer.concat(chunks).toString()}\nended with ${String(ended)}`;
}
