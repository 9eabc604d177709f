import { spawn } from "node:child_process";
import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { inheritedEnvironment } from "../../shared/config.ts";
import { REPOSITORY } from "../../local/repository.ts";

type Instruction = { name: string; rest: string };
/** One image in the making: its files, from its root, and what was said for those who run it. */
export type Image = { root: string; workdir: string; env: Record<string, string>; user: string; cmd: string[] };

/** What the images may install with apt. It is not installed here: that needs root, and an image around it. */
const KNOWN_PACKAGES = new Set(["mariadb-server-core"]);
/** There is no such user outside of the image. */
const WITHOUT_OWNERS = "chown() { :; }; ";

/**
 * Does what a Dockerfile says in plain directories, for machines without Docker: COPY and RUN are really done, each stage
 * has a directory as its root, RUN sees paths that are relative to WORKDIR. Lines with apt-get are only checked for known
 * packages, and owners are not changed.
 * @param path from the root of the repository, which is the context
 * @throws when a line is not understood or fails
 */
export async function runDockerfile(path: string, directory: string): Promise<Image> {
  const ignore = await readIgnored();
  const stages: Record<string, Image> = {};
  let image: Image | undefined;
  for (const { name, rest } of instructionsOf(await readFile(join(REPOSITORY, path), "utf8"))) {
    if (name === "FROM") {
      const [base, , as = "last"] = rest.split(" ");
      if (base !== "node:24-slim") throw new Error(`${path} begins with ${base}`);
      image = { root: join(directory, as), workdir: "/", env: {}, user: "root", cmd: [] };
      stages[as] = image;
      continue;
    }
    if (!image) throw new Error(`${path}: ${name} before FROM`);
    await follow(image, { name, rest }, stages, ignore);
  }
  if (!image) throw new Error(`${path} is empty`);
  return image;
}

const inside = (image: Image, path: string) =>
  join(image.root, path.startsWith("/") ? path : join(image.workdir, path));

async function follow(
  image: Image,
  { name, rest }: Instruction,
  stages: Record<string, Image>,
  ignored: (path: string) => boolean,
) {
  switch (name) {
    case "WORKDIR":
      image.workdir = rest;
      await mkdir(inside(image, "."), { recursive: true });
      return;
    case "ENV":
      for (const pair of rest.split(" ")) image.env[pair.split("=")[0] ?? ""] = pair.split("=")[1] ?? "";
      return;
    case "USER":
      image.user = rest;
      return;
    case "CMD":
      image.cmd = JSON.parse(rest) as string[];
      return;
    case "COPY":
      return copy(image, rest.split(" "), stages, ignored);
    case "RUN":
      return run(image, rest);
    case "VOLUME":
    case "EXPOSE":
    case "HEALTHCHECK":
      return;
    default:
      throw new Error(`${name} is not understood`);
  }
}

async function copy(image: Image, words: string[], stages: Record<string, Image>, ignored: (path: string) => boolean) {
  const stage = words[0]?.startsWith("--from=") ? stages[words.shift()?.slice("--from=".length) ?? ""] : undefined;
  const to = words.pop() ?? "";
  const target = inside(image, to);
  const filter = (source: string) => stage !== undefined || !ignored(relative(REPOSITORY, source));
  for (const from of words) {
    const source = stage ? inside(stage, from) : join(REPOSITORY, from);
    // As Docker does it: a directory's content is copied, a file goes into a target that ends in a slash.
    const isInto = to.endsWith("/") && words.every((word) => word.includes(".") && word !== "." && !stage);
    if (from === ".") await copyEntries(source, target, filter);
    else await cp(source, isInto ? join(target, from) : target, { recursive: true, filter });
  }
}

/** Entry by entry: a directory cannot be copied into one of its own. */
async function copyEntries(source: string, target: string, filter: (source: string) => boolean) {
  for (const entry of await readdir(source)) {
    const from = join(source, entry);
    if (filter(from)) await cp(from, join(target, entry), { recursive: true, filter });
  }
}

async function run(image: Image, command: string) {
  if (command.startsWith("apt-get")) return checkPackages(command);
  const { PATH, HOME } = inheritedEnvironment();
  const child = spawn("sh", ["-c", WITHOUT_OWNERS + command], {
    cwd: inside(image, "."),
    env: {
      PATH,
      HOME,
      npm_config_prefer_offline: "true",
      npm_config_audit: "false",
      npm_config_fund: "false",
      ...image.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`RUN ${command} failed:\n${Buffer.concat(chunks).toString()}`);
}

function checkPackages(command: string): void {
  const [, list = ""] = /apt-get install -y --no-install-recommends ([^&]+)&&/.exec(command) ?? [];
  const names = list.trim().split(/\s+/);
  const unknown = names.filter((name) => !KNOWN_PACKAGES.has(name));
  if (unknown.length > 0) throw new Error(`RUN ${command}: unknown packages ${unknown.join()}`);
}

function instructionsOf(text: string): Instruction[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return lines.map((line) => ({
    name: line.slice(0, line.indexOf(" ")),
    rest: line.slice(line.indexOf(" ") + 1).trim(),
  }));
}

/** What .dockerignore keeps out of the context. It names what is in, and patterns of names that are not. */
async function readIgnored(): Promise<(path: string) => boolean> {
  const lines = (await readFile(join(REPOSITORY, ".dockerignore"), "utf8")).split("\n");
  const kept = new Set(lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1)));
  const endings = lines.filter((line) => line.startsWith("**/*")).map((line) => line.slice("**/*".length));
  return (path) => {
    if (path === "") return false;
    const top = path.split("/")[0] ?? "";
    return !kept.has(dirname(path) === "." ? path : top) || endings.some((ending) => path.endsWith(ending));
  };
}
