import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { startStack } from "../../local/stack.ts";
import type { Stack, StackOptions } from "../../local/stack.ts";

/** A whole product of a test's own, on any free port, gone with the test file. */
export async function freshStack(options: Partial<StackOptions> = {}): Promise<Stack> {
  const dataDir = options.dataDir ?? (await temporaryDirectory());
  const stack = await startStack({ simulator: true, port: 0, ...options, dataDir });
  afterAll(() => stack.dispose());
  return stack;
}

/** Removed when the test file ends, after what was started in it. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "gateway-story-"));
  afterAll(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Every line that any process of the stack has written. */
export async function allOutput(dataDir: string): Promise<string> {
  const logs = join(dataDir, "logs");
  const files = await readdir(logs);
  return (await Promise.all(files.map((file) => readFile(join(logs, file), "utf8")))).join("\n");
}
