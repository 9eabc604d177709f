import { join } from "node:path";
import * as z from "zod";
import { nodeFlags } from "./cloud/node-flags.ts";
import type { Environment } from "./environment.ts";
import { startNodeProcess } from "./node-process.ts";
import type { Supervisor } from "./supervisor.ts";

/** Where children are watched, where they keep their data and logs, and what ends their starts. */
export type Place = { supervisor: Supervisor; dataDir: string; logs: string; signal: AbortSignal | undefined };

/** A host closes its sockets and hands its shards over; the others only end what they are doing. */
const HOST_STOP_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;

const cloudReady = z.object({ endpoint: z.url() });
const simulatorReady = z.object({ url: z.url(), wsUrl: z.url(), rootPublicKey: z.base64() });
const apiReady = z.object({ url: z.url() });

/** @returns where S3 and SQS are */
export async function startCloud(place: Place, environment: Environment): Promise<string> {
  const name = "local-cloud";
  const { endpoint } = await startOnPort(
    place,
    { name, file: "local/cloud/main.ts", ready: cloudReady },
    0,
    (port) => ({
      nodeFlags,
      args: ["--data", join(place.dataDir, "cloud"), "--port", String(port)],
      environment,
    }),
  );
  return endpoint;
}

/** @returns its control API, and what a Baileys program needs to connect to it */
export async function startSimulator(place: Place, environment: Environment) {
  const name = "simulator";
  return startOnPort(place, { name, file: "simulator/main.ts", ready: simulatorReady }, 0, (port) => ({
    args: ["--data", join(place.dataDir, "simulator"), "--port", String(port)],
    environment,
  }));
}

/** @returns its URL, without a slash at the end */
export async function startApi(place: Place, environment: Environment, port: number): Promise<string> {
  const { url } = await startOnPort(
    place,
    { name: "api", file: "functions/serve.ts", ready: apiReady },
    port,
    (port) => ({
      args: [],
      environment: { ...environment, DASHBOARD_PORT: String(port) },
    }),
  );
  return url.replace(/\/$/, "");
}

export const hostName = (number: number) => `socket-host-${number}`;

export async function startHost(place: Place, environment: Environment, number: number): Promise<void> {
  const { supervisor, logs, signal } = place;
  const options = { name: hostName(number), file: "socket-host/main.ts", logs, stopDeadlineMs: HOST_STOP_DEADLINE_MS };
  await supervisor.start(options.name, () => startNodeProcess({ ...options, args: [], environment, signal }));
}

export const delivererName = (number: number) => (number === 1 ? "deliverer" : `deliverer-${number}`);

/** Delivers events, and sweeps. */
export async function startDeliverer(place: Place, environment: Environment, number: number): Promise<void> {
  const { supervisor, logs, signal } = place;
  const options = {
    name: delivererName(number),
    file: "functions/serve-deliveries.ts",
    logs,
    stopDeadlineMs: STOP_DEADLINE_MS,
  };
  await supervisor.start(options.name, () => startNodeProcess({ ...options, args: [], environment, signal }));
}

/** A server that names its URL when it is ready: started again after it died, it gets the port that it had. */
async function startOnPort<Ready extends { url: string } | { endpoint: string }>(
  { supervisor, logs, signal }: Place,
  part: { name: string; file: string; ready: z.ZodType<Ready> },
  firstPort: number,
  settingsFor: (port: number) => { args: string[]; environment: Environment; nodeFlags?: string[] },
): Promise<Ready> {
  let port = firstPort;
  const { name, file } = part;
  const server = await supervisor.start(name, async () => {
    const settings = settingsFor(port);
    const child = await startNodeProcess({ name, file, logs, signal, stopDeadlineMs: STOP_DEADLINE_MS, ...settings });
    const ready = part.ready.parse(child.ready);
    port = Number(new URL("url" in ready ? ready.url : ready.endpoint).port);
    return { ...child, message: ready };
  });
  return server.message;
}
