import { spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import { afterAll } from "vitest";
import type { StackOptions } from "../../local/stack.ts";

type Environment = Awaited<ReturnType<NonNullable<StackOptions["hostEnvironment"]>>>;

const REPOSITORY = join(import.meta.dirname, "../..");
/** With every append to a device's state, the later version writes a record that this one has never heard of. */
const CHANGES: Record<string, [from: string, to: string]> = {
  "group-commit.ts": ["const names = [...this.#dirty];", 'const names = [...this.#dirty, "later:note"];'],
  "memory.ts": [
    "text(name: string): string | null {",
    'text(name: string): string | null {\n    if (name === "later:note") return JSON.stringify({ at: Date.now() });',
  ],
};

const changed: Plugin = {
  name: "a later version",
  setup(context) {
    context.onLoad({ filter: /device-state\/(group-commit|memory)\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const [from, to] = CHANGES[path.slice(path.lastIndexOf("/") + 1)] ?? ["", ""];
      if (!source.includes(from)) throw new Error(`${path} has changed: ${from} is not there`);
      return { contents: source.replace(from, to), loader: "ts" };
    });
  },
};

/**
 * A socket host of a version to come, beside those of the stack.
 * @param environment that of a host of the stack
 * @returns how it is told to go: it hands over and ends, and the answer is its exit code
 */
export async function startLaterHost(environment: Environment): Promise<{ stop: () => Promise<number | null> }> {
  // Beside the packages, so that it finds them.
  const file = join(REPOSITORY, "node_modules", `.later-host-${process.pid}.mjs`);
  await build({
    entryPoints: [join(REPOSITORY, "socket-host/main.ts")],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    plugins: [changed],
    logLevel: "error",
  });
  const child = spawn(process.execPath, [file], {
    env: { ...environment, HOST_ID: "later-host" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  afterAll(() => void child.kill("SIGKILL"));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const ready = new Promise<void>((resolve, reject) => {
    child.once("message", (message: { type: string }) =>
      message.type === "ready" ? resolve() : reject(new Error(JSON.stringify(message))),
    );
    child.once("exit", (code) => reject(new Error(`the later host ended with ${code}`)));
  });
  try {
    await ready;
  } finally {
    await rm(file, { force: true });
  }
  return {
    stop: async () => {
      child.kill("SIGTERM");
      return await ended;
    },
  };
}
