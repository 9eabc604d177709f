import { parseArgs } from "node:util";
import { startSimulator } from "./server.ts";

/** The simulator as a process of its own: `--port N` (default: any), `--data DIR` (default: nothing is kept). */
const { values } = parseArgs({ options: { port: { type: "string", default: "0" }, data: { type: "string" } } });
const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error("--port must be a number from 0 to 65535");

const simulator = await startSimulator({ port, ...(values.data !== undefined && { dataDir: values.data }) });
const { url, wsUrl, rootPublicKey } = simulator;

let ending: Promise<void> | undefined;
function end(): void {
  ending ??= simulator.dispose().then(() => process.exit(0));
}

process.on("SIGTERM", end);
if (process.send) {
  process.on("disconnect", end);
  process.on("SIGINT", () => {});
  process.send({ type: "ready", url, wsUrl, rootPublicKey });
} else {
  process.on("SIGINT", end);
  process.stdout.write(`Simulated WhatsApp: ${url} (WebSocket ${wsUrl})\n`);
}
