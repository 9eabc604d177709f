import { join } from "node:path";
import * as z from "zod";
import { nodeFlags } from "./cloud/node-flags.ts";
import type { Environment } from "./environment.ts";
import { startNodeProcess } from "./node-process.ts";
import type { Programs } from "./programs.ts";
import type { Supervisor } from "./supervisor.ts";

/** Where children are watched, where they keep their data and logs, what they run, and what ends their starts. */
export type Place = {
  supervisor: Supervisor;
  dataDir: string;
  logs: string;
  programs: Promise<Programs>;
  signal: AbortSignal | undefined;
};

const SOURCE = {
  cloud: "local/cloud/main.ts",
  simulator: "simulator/main.ts",
  api: "functions/serve.ts",
  host: "socket-host/main.ts",
  deliverer: "functions/serve-deliveries.ts",
};
/** Everything that `Place.programs` has to have. */
export const SOURCES = Object.values(SOURCE);

/** A host closes its sockets and hands its shards over; the others only end what they are doing. */
const HOST_STOP_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;

const cloudReady = z.object({ endpoint: z.url() });
const simulatorReady = z.object({ url: z.url(), wsUrl: z.url(), rootPublicKey: z.base64() });
const apiReady = z.object({ url: z.url() });

/** @returns where S3 and SQS are */
export async function startCloud(place: Place, environment: Environment): Promise<string> {
  const name = "local-cloud";
  const { endpoint } = await startOnPort(place, { name, source: SOURCE.cloud, ready: cloudReady }, 0, (port) => ({
    nodeFlags,
    args: ["--data", join(place.dataDir, "cloud"), "--port", String(port)],
    environment,
  }));
  return endpoint;
}

/** @returns its control API, and what a Baileys program needs to connect to it */
export async function startSimulator(place: Place, environment: Environment) {
  const name = "simulator";
  return startOnPort(place, { name, source: SOURCE.simulator, ready: simulatorReady }, 0, (port) => ({
    args: ["--data", join(place.dataDir, "simulator"), "--port", String(port)],
    environment,
  }));
}

/** @returns its URL, without a slash at the end */
export async function startApi(place: Place, environment: Environment, port: number): Promise<string> {
  const { url } = await startOnPort(place, { name: "api", source: SOURCE.api, ready: apiReady }, port, (port) => ({
    args: [],
    environment: { ...environment, DASHBOARD_PORT: String(port) },
  }));
  return url.replace(/\/$/, "");
}

export const hostName = (number: number) => `socket-host-${number}`;

export async function startHost(place: Place, environment: Environment, number: number): Promise<void> {
  await startWorker(place, { name: hostName(number), source: SOURCE.host, environment }, HOST_STOP_DEADLINE_MS);
}

export const delivererName = (number: number) => (number === 1 ? "deliverer" : `deliverer-${number}`);

/** Delivers events, and sweeps. */
export async function startDeliverer(place: Place, environment: Environment, number: number): Promise<void> {
  await startWorker(place, { name: delivererName(number), source: SOURCE.deliverer, environment }, STOP_DEADLINE_MS);
}

/** What takes its work from the database and the queues, and has no address. */
async function startWorker(
  { supervisor, logs, programs, signal }: Place,
  { name, source, environment }: { name: string; source: string; environment: Environment },
  stopDeadlineMs: number,
): Promise<void> {
  const program = (await programs)(source);
  const options = { name, program, args: [], environment, logs, stopDeadlineMs, signal };
  await supervisor.start(name, () => startNodeProcess(options));
}

/** A server that names its URL when it is ready: started again after it died, it gets the port that it had. */
async function startOnPort<Ready extends { url: string } | { endpoint: string }>(
  { supervisor, logs, programs, signal }: Place,
  part: { name: string; source: string; ready: z.ZodType<Ready> },
  firstPort: number,
  settingsFor: (port: number) => { args: string[]; environment: Environment; nodeFlags?: string[] },
): Promise<Ready> {
  let port = firstPort;
  const { name } = part;
  const program = (await programs)(part.source);
  const server = await supervisor.start(name, async () => {
    const settings = settingsFor(port);
    const options = { name, program, logs, signal, stopDeadlineMs: STOP_DEADLINE_MS, ...settings };
    const child = await startNodeProcess(options);
    const ready = part.ready.parse(child.ready);
    port = Number(new URL("url" in ready ? ready.url : ready.endpoint).port);
    return { ...child, message: ready };
  });
  return server.message;
}
