import { defineConfig } from "vitest/config";
import { StoriesFirst } from "./local/testing/stories-first.ts";

/** Stories start whole stacks, so at most two files run side by side: the machines that run them have two cores. */
export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["node_modules/**", ".local/**", "dist/**", ".sst/**"],
    pool: "forks",
    maxWorkers: 3,
    sequence: { sequencer: StoriesFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
