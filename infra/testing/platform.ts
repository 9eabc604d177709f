import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inheritedEnvironment } from "../../shared/config.ts";
import { acquireLock, LockedError } from "../../local/cloud/store/lock.ts";
import { REPOSITORY } from "../../local/repository.ts";

/** Where `sst install` puts the source of SST's components and the provider. */
export const PLATFORM = join(REPOSITORY, ".sst", "platform");

const WORK = join(REPOSITORY, ".sst");
/** Written as the last step, so that an interrupted installation counts as none. */
const DONE = join(WORK, "installed");
const SETTINGS = join(REPOSITORY, "sst.config.ts");
const MANIFEST = join(REPOSITORY, "package.json");
const NO_REGISTRY = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/;
const WAIT_MS = 500;

/**
 * Makes SST's platform ready, once for a version of SST and of the provider: about half a minute, 330 MB, from the
 * package registry alone. Without an AWS account, and without Pulumi, which `NO_BUN` and the skipped check leave out.
 * @returns why it cannot be had when the registry does not answer; undefined when it is there
 */
export async function installPlatform(): Promise<string | undefined> {
  const wanted = await version();
  if (await isInstalled(wanted)) return undefined;
  await mkdir(WORK, { recursive: true });
  const lock = await waitForLock();
  try {
    if (await isInstalled(wanted)) return undefined;
    const output = await sstInstall();
    if (!existsSync(join(PLATFORM, "node_modules", "@pulumi", "aws"))) {
      if (NO_REGISTRY.test(output)) return "the package registry does not answer: SST's platform cannot be installed";
      throw new Error(`sst install failed:\n${output}`);
    }
    await writeFile(DONE, wanted);
    return undefined;
  } finally {
    await lock.release();
  }
}

async function version(): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(MANIFEST, "utf8")) as { dependencies: { sst: string } };
  const provider = /version: "([\d.]+)"/.exec(await readFile(SETTINGS, "utf8"))?.[1];
  if (!provider) throw new Error("sst.config.ts names no version of the provider");
  return `sst ${dependencies.sst}, aws ${provider}`;
}

const isInstalled = async (wanted: string) => (await readFile(DONE, "utf8").catch(() => "")) === wanted;

async function waitForLock() {
  for (;;) {
    try {
      return await acquireLock(WORK, () => undefined);
    } catch (error) {
      if (!(error instanceof LockedError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }
}

async function sstInstall(): Promise<string> {
  const child = spawn(join(REPOSITORY, "node_modules", ".bin", "sst"), ["install", "--stage", "ci"], {
    cwd: REPOSITORY,
    env: {
      ...inheritedEnvironment(),
      SST_SKIP_DEPENDENCY_CHECK: "1",
      NO_BUN: "1",
      SST_TELEMETRY_DISABLED: "1",
      AWS_EC2_METADATA_DISABLED: "true",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => child.once("close", resolve));
  return Buffer.concat(chunks).toString();
}
