import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { probeServer } from "./find-server.ts";
import type { DatabaseServer } from "./find-server.ts";

const run = promisify(execFile);

/** The server without the system service around it; the second name is that of Ubuntu 22.04. */
const PACKAGES = ["mariadb-server-core", "mariadb-server-core-10.6"];
const APT_GET = "/usr/bin/apt-get";
const MAX_OUTPUT_BYTES = 16 * 2 ** 20;

export const canFetchServer = () => existsSync(APT_GET);

/** The private copy in `directory`, if it is there and runs. */
export async function fetchedServer(directory: string): Promise<DatabaseServer | undefined> {
  return probeServer(join(directory, "usr/sbin/mariadbd"), await libraryPathIn(directory));
}

/**
 * Downloads MariaDB and the libraries that this machine lacks with apt, which checks their signatures, and unpacks
 * them into `directory`: no root needed, nothing is installed. `directory` appears complete or not at all, so any
 * number of starts may do this at once. Throws with apt's reason when it cannot be done.
 */
export async function fetchServer(directory: string): Promise<DatabaseServer> {
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  const work = await mkdtemp(`${directory}-`);
  try {
    const unpacked = join(work, "unpacked");
    for (const archive of await download(work)) await run("dpkg-deb", ["-x", archive, unpacked]);
    if (!(await fetchedServer(unpacked))) throw new Error("the downloaded server does not run on this machine");
    // Another start may have been quicker: its copy may be in use already.
    if (!(await fetchedServer(directory))) {
      await rm(directory, { recursive: true, force: true });
      await rename(unpacked, directory);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const server = await fetchedServer(directory);
  if (!server) throw new Error(`the downloaded server is not in ${directory}`);
  return server;
}

/** With the machine's package lists first; with fresh ones of our own when they are missing or out of date. */
async function download(work: string): Promise<string[]> {
  try {
    return await downloadWith(work, []);
  } catch {
    const lists = join(work, "lists");
    await mkdir(join(lists, "partial"), { recursive: true });
    const flags = ["-o", `Dir::State::lists=${lists}`];
    // One broken source among several is an error to apt; whether the packages were found shows below.
    await apt(work, [...flags, "update"]).catch(() => undefined);
    return downloadWith(work, flags);
  }
}

async function downloadWith(work: string, flags: string[]): Promise<string[]> {
  const packages = await missingPackages(work, flags);
  const archives = join(work, "archives");
  await mkdir(archives, { recursive: true });
  await apt(work, [...flags, "download", ...packages], archives);
  return (await readdir(archives)).filter((name) => name.endsWith(".deb")).map((name) => join(archives, name));
}

/** The server's package and those it needs that are not installed, as apt works them out. */
async function missingPackages(work: string, flags: string[]): Promise<string[]> {
  let failure: unknown;
  for (const name of PACKAGES) {
    try {
      const plan = await apt(work, [...flags, "--simulate", "--no-install-recommends", "install", name]);
      // `Inst name (version …)` is new; `Inst name [version] (version …)` is an upgrade of what is there.
      const packages = [...plan.matchAll(/^Inst (\S+) \(/gm)].map((match) => match[1] ?? "");
      if (packages.length > 0) return packages;
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure ?? new Error("apt knows no MariaDB server that is not installed already");
}

async function apt(work: string, args: string[], cwd = work): Promise<string> {
  const cache = join(work, "cache");
  await mkdir(join(cache, "archives", "partial"), { recursive: true });
  const settings = [
    `Dir::Cache=${cache}`,
    // A plan and a download change nothing on the machine; the lock is root's.
    "Debug::NoLocking=true",
    // Without root there is no other user to become; with root that user could not write here.
    "APT::Sandbox::User=",
    "Acquire::Retries=2",
    "Acquire::http::Timeout=20",
    "Acquire::https::Timeout=20",
  ];
  const flags = ["-q", ...settings.flatMap((setting) => ["-o", setting])];
  const { stdout } = await run(APT_GET, [...flags, ...args], { cwd, maxBuffer: MAX_OUTPUT_BYTES });
  return stdout;
}

async function libraryPathIn(directory: string): Promise<string> {
  const paths: string[] = [];
  for (const base of ["usr/lib", "lib"].map((name) => join(directory, name))) {
    const names = await readdir(base).catch(() => []);
    paths.push(...names.filter((name) => name.includes("-linux-")).map((name) => join(base, name)));
  }
  return paths.join(":");
}
