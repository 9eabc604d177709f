import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Why the packages could not be installed, for a person. */
export class InstallError extends Error {}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TOOLS = join(ROOT, ".local", "tools");
const LOCK = join(TOOLS, "install.lock");
const DRAFT = `${LOCK}.${process.pid}`;
const NPM_CACHE = join(TOOLS, "npm-cache");
const POLL_INTERVAL_MS = 200;
/** npm gives its reason first, and then its manual. */
const SHOWN_LINES = 10;

/**
 * Makes node_modules what package-lock.json says; costs a few milliseconds when it is so already. Of two starts at the
 * same time one installs and the other waits. Throws `InstallError`.
 * @param {{ withDevelopment: boolean }} options whether the development packages are needed
 */
export async function install({ withDevelopment }) {
  if (isInstalled(withDevelopment)) return;
  await takeLock();
  try {
    if (!isInstalled(withDevelopment)) await npmCi(withDevelopment);
  } finally {
    rmSync(LOCK, { force: true });
  }
}

/** npm writes what it has installed as its last step, so an interrupted installation counts as none. */
function isInstalled(withDevelopment) {
  const wanted = readJson(join(ROOT, "package-lock.json"))?.packages;
  const present = readJson(join(ROOT, "node_modules", ".package-lock.json"))?.packages;
  if (!wanted || !present) return false;
  const matches = ([path, entry]) => {
    if (path === "") return true;
    const found = present[path];
    if (found) return found.version === entry.version && found.integrity === entry.integrity;
    // Packages for other systems are optional; development packages may have been left out on purpose.
    return Boolean(entry.optional || entry.devOptional) || (Boolean(entry.dev) && !withDevelopment);
  };
  return Object.entries(wanted).every(matches) && Object.keys(present).every((path) => path in wanted);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

async function takeLock() {
  let isReported = false;
  for (;;) {
    try {
      mkdirSync(TOOLS, { recursive: true, mode: 0o700 });
      writeFileSync(DRAFT, String(process.pid));
      // In one step, so that nobody reads a lock that does not yet name its holder.
      linkSync(DRAFT, LOCK);
      return;
    } catch (error) {
      if (error.code !== "EEXIST")
        throw new InstallError(`${ROOT} cannot be written (${error.code}): packages are missing`);
    } finally {
      rmSync(DRAFT, { force: true });
    }
    if (!isRunning(Number(readText(LOCK)))) {
      rmSync(LOCK, { force: true });
      continue;
    }
    if (!isReported) console.error("waiting for another start that installs the packages …");
    isReported = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

function readText(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function isRunning(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

async function npmCi(withDevelopment) {
  console.error("installing packages (once, about a minute) …");
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  // NODE_ENV=production would leave them out.
  if (withDevelopment) args.push("--include=dev");
  if (!hasWritableHome()) args.push("--cache", NPM_CACHE);
  const { code, output } = await run("npm", args);
  rmSync(NPM_CACHE, { recursive: true, force: true });
  if (code === 0) return;
  const lines = output.split("\n").filter((line) => line.trim() !== "" && !/complete log of this run/i.test(line));
  throw new InstallError(["the packages could not be installed:", ...lines.slice(0, SHOWN_LINES)].join("\n"));
}

/** npm keeps its cache in the home directory, which a service account often has not. */
function hasWritableHome() {
  const home = homedir();
  const cache = join(home, ".npm");
  try {
    accessSync(existsSync(cache) ? cache : home, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function run(program, args) {
  const child = spawn(program, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => chunks.push(chunk));
  const code = await new Promise((resolve) => {
    child.once("error", (error) => {
      chunks.push(Buffer.from(error.code === "ENOENT" ? "npm was not found on the PATH" : error.message));
      resolve(1);
    });
    child.once("close", resolve);
  });
  return { code, output: Buffer.concat(chunks).toString() };
}
