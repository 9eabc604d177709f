import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { bundleFunction } from "./bundle-function.ts";

const directory = await mkdtemp(join(tmpdir(), "bundle-"));
afterAll(() => rm(directory, { recursive: true }));

it("a handler is bundled only if its file is there and exports it", async () => {
  await expect(bundleFunction("functions/gone.handler", directory)).rejects.toThrow("Handler not found");
  await expect(bundleFunction("functions/api.main", directory)).rejects.toThrow("not exported");
});
