import { spawn } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { inheritedEnvironment } from "../../shared/config.ts";
import { settingsOf } from "../../shared/settings.ts";
import { REPOSITORY } from "../../local/repository.ts";
import { runDockerfile } from "./dockerfile.ts";
import type { Image } from "./dockerfile.ts";

const BUILD_TIMEOUT_MS = 300_000;
const START_DEADLINE_MS = 90_000;

const directory = await mkdtemp(join(tmpdir(), "images-"));
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Starts what an image starts, its files being somewhere else than they would be. */
function start(image: Image, variables: Record<string, string>) {
  const [program = "", ...args] = image.cmd.map((word) => (word.startsWith("/app") ? join(image.root, word) : word));
  const { PATH, HOME } = inheritedEnvironment();
  const child = spawn(program === "node" ? process.execPath : program, args, {
    cwd: join(image.root, image.workdir),
    env: { PATH, HOME, ...image.env, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ended, said: () => said };
}

describe("the image of the socket host", () => {
  it(
    "has one bundled file and what cannot be in it, runs as nobody special, and starts",
    async () => {
      const image = await runDockerfile("socket-host/Dockerfile", join(directory, "host"));
      expect(await readdir(join(image.root, "app"))).toEqual(["host.mjs", "host.mjs.map", "node_modules"]);
      expect(await readdir(join(image.root, "app", "node_modules"))).toContain("sharp");
      expect([image.user, image.cmd[0]]).toEqual(["node", "node"]);
      const host = start(image, {});
      expect(await host.ended).toBe(1);
      // It got as far as its settings, of which there are none.
      expect(host.said()).toContain("wrong settings: COMMAND_QUEUE_URLS");
    },
    BUILD_TIMEOUT_MS,
  );
});

describe("the image for one machine", () => {
  it(
    "runs the whole product on its volume, without DB_* on a database of its own, and stops in order",
    async () => {
      const image = await runDockerfile("Dockerfile", join(directory, "machine"));
      expect([image.user, image.cmd[0]]).toEqual(["node", "node"]);
      const files = await readdir(join(image.root, "app"));
      expect(files.filter((name) => ["tests", "bench", "docs", ".git", ".local", ".sst"].includes(name))).toEqual([]);

      const settings = {
        DASHBOARD_PORT: "0",
        API_HOST: "127.0.0.1",
        SESSION_SECRET: "5f1d9c3b7a2e4860d1c2b3a495867768",
      };
      const gateway = start(image, settings);
      const runFile = join(image.root, "app/data/run.json");
      const { apiUrl } = await vi.waitFor(
        async () => {
          if (gateway.child.exitCode !== null) throw new Error(gateway.said());
          return JSON.parse(await readFile(runFile, "utf8")) as { apiUrl: string };
        },
        { timeout: START_DEADLINE_MS, interval: 200 },
      );
      expect((await fetch(`${apiUrl}/health/ready`)).status).toBe(200);
      gateway.child.kill("SIGTERM");
      expect(await gateway.ended).toBe(0);
    },
    BUILD_TIMEOUT_MS,
  );

  it("is what compose.yaml builds, with settings that exist", async () => {
    const text = await readFile(join(REPOSITORY, "compose.yaml"), "utf8");
    const gateway = text.slice(text.indexOf("  gateway:"), text.indexOf("  mysql:"));
    const names = [...gateway.matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name]) => name ?? "");
    expect(names).toContain("DB_HOST");
    for (const name of names) expect(settingsOf.api.shape).toHaveProperty(name);
    expect(gateway).toContain("build: .");
    expect(gateway).toContain("data:/app/data");
  });
});
