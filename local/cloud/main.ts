import { parseArgs } from "node:util";
import { loadCloudCredentials } from "../../shared/config.ts";
import { startCloud } from "./server.ts";
import type { Cloud } from "./server.ts";

/**
 * The local cloud as a process: `main.ts --data DIR [--port N] [--host ADDRESS] [--precision minute]` with
 * AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION. Under a launcher it says `{ type: "ready", endpoint }`, and
 * ends when the launcher does.
 */
const usage = "usage: main.ts --data DIR [--port N] [--host ADDRESS] [--precision second|minute]";

function fail(message: string): never {
  process.stderr.write(`local cloud: ${message}\n`);
  process.exit(1);
}

function readFlags(): { dataDir: string; port: number; host: string; precision: "second" | "minute" } {
  try {
    const { values } = parseArgs({
      options: {
        data: { type: "string" },
        port: { type: "string", default: "0" },
        host: { type: "string", default: "127.0.0.1" },
        precision: { type: "string", default: "second" },
      },
    });
    const { data: dataDir, host, precision } = values;
    const port = Number(values.port);
    const validPort = Number.isInteger(port) && port >= 0 && port <= 65_535;
    if (dataDir !== undefined && validPort && (precision === "second" || precision === "minute")) {
      return { dataDir, port, host, precision };
    }
  } catch (error) {
    fail(`${error instanceof Error ? error.message : String(error)}; ${usage}`);
  }
  return fail(usage);
}

async function start(): Promise<Cloud> {
  try {
    const flags = readFlags();
    const { region, ...credentials } = loadCloudCredentials();
    return await startCloud({ ...flags, credentials, region });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const starting = start();
let stopping = false;

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await (await starting).dispose();
  process.exit(0);
}

const launched = process.send !== undefined;
process.on("SIGTERM", () => void stop());
process.on("disconnect", () => void stop());
// Under a launcher the terminal's Ctrl-C reaches both: the launcher decides when this process may go.
process.on("SIGINT", () => launched || void stop());

const cloud = await starting;
if (launched) process.send?.({ type: "ready", endpoint: cloud.endpoint });
else process.stdout.write(`local cloud ready at ${cloud.endpoint}\n`);
fail((await cloud.broken).message);
