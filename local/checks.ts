import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { inheritedEnvironment } from "../shared/config.ts";
import { REPOSITORY } from "./repository.ts";

export type Outcome = { name: string; passed: boolean; output: string };

const require = createRequire(import.meta.url);

/** Types, lint and format, side by side. Their output is for the person at the terminal, in full. */
export function runChecks(): Promise<Outcome[]> {
  return Promise.all([
    runTool("types", "typescript", "tsc", ["--noEmit", "--project", "."]),
    runTool("lint", "oxlint", "oxlint", []),
    runTool("format", "oxfmt", "oxfmt", ["--check"]),
  ]);
}

/** The program `bin` of an installed package: its file, to be run by this Node. */
export function toolFile(packageName: string, bin: string): string {
  const manifestPath = require.resolve(`${packageName}/package.json`);
  const { bin: programs } = require(manifestPath) as { bin: string | Record<string, string> };
  const file = typeof programs === "string" ? programs : programs[bin];
  if (!file) throw new Error(`${packageName} has no program ${bin}`);
  return join(dirname(manifestPath), file);
}

/** Runs a program of an installed package to its end, in the repository. */
export async function runTool(name: string, packageName: string, bin: string, args: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [toolFile(packageName, bin), ...args], {
    cwd: REPOSITORY,
    env: inheritedEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { name, passed: code === 0, output: Buffer.concat(chunks).toString() };
}
