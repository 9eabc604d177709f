import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { LaunchError } from "./launch-error.ts";
import { REPOSITORY } from "./repository.ts";

/** `port` is undefined when it is not given: the settings decide. `dataDir` is absolute. */
export type Flags = { hosts: number; port: number | undefined; dataDir: string };

const MAX_HOSTS = 16;
const MAX_PORT = 65_535;

/** The flags of `sandbox` and `start`. Throws `LaunchError` that says what is wrong with them. */
export function parseFlags(args: string[]): Flags {
  const values = parse(args);
  return {
    hosts: values.hosts === undefined ? 1 : numberIn("--hosts", values.hosts, 1, MAX_HOSTS),
    port: values.port === undefined ? undefined : numberIn("--port", values.port, 0, MAX_PORT),
    dataDir: resolve(values.data ?? join(REPOSITORY, ".local")),
  };
}

function parse(args: string[]) {
  try {
    const options = { hosts: { type: "string" }, port: { type: "string" }, data: { type: "string" } } as const;
    const { values } = parseArgs({ args, options, strict: true, allowPositionals: false });
    if (values.data === "") throw new Error("--data names no directory");
    return values;
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split(". ");
    throw new LaunchError(`${reason}. Flags: --hosts N, --port N (0 = any), --data DIR`, { cause });
  }
}

function numberIn(flag: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new LaunchError(`${flag} is a number from ${min} to ${max}, not "${text}"`);
}
