import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { CommandKind } from "../shared/commands.ts";

/**
 * What a host tells Prometheus (`GET /metrics` beside its `/health`). Labels are of small, fixed sets: never a device, a
 * number or an id.
 */
const registry = new Registry();
const registers = [registry];

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const commandSeconds = new Histogram({
  name: "gateway_command_seconds",
  help: "From the begin of a command until its outcome is stored.",
  labelNames: ["kind", "outcome"] as const,
  buckets: SECONDS,
  registers,
});
const queueSeconds = new Histogram({
  name: "gateway_command_queue_seconds",
  help: "From the acceptance of a command by the API to its begin, by the clocks of the database and of the host.",
  buckets: SECONDS,
  registers,
});
const answerSeconds = new Histogram({
  name: "gateway_message_answer_seconds",
  help: "From handing a message to its socket to the answer of WhatsApp's server, or to giving up waiting for it.",
  labelNames: ["outcome"] as const,
  buckets: SECONDS,
  registers,
});
const appendSeconds = new Histogram({
  name: "gateway_state_append_seconds",
  help: "What an append to a device's state took, retries included.",
  labelNames: ["outcome"] as const,
  buckets: SECONDS,
  registers,
});
const connections = new Counter({
  name: "gateway_connections_total",
  help: "Connections to WhatsApp that opened, or that ended and what the host does then.",
  labelNames: ["event"] as const,
  registers,
});

/** What is counted as it happens. */
export const metrics = {
  commandRun: (kind: CommandKind, outcome: "stored" | "kept" | "failed", ms: number) =>
    commandSeconds.observe({ kind, outcome }, ms / 1000),
  commandBegun: (createdAt: Date) => queueSeconds.observe(Math.max(0, Date.now() - createdAt.getTime()) / 1000),
  messageAnswered: (outcome: "accepted" | "refused" | "unknown", ms: number) =>
    answerSeconds.observe({ outcome }, ms / 1000),
  appended: (outcome: "ok" | "fenced" | "unavailable" | "too-large", ms: number) =>
    appendSeconds.observe({ outcome }, ms / 1000),
  connection: (event: "opened" | "restart" | "reconnect" | "yield" | "stop") => connections.inc({ event }),
};

/** What is looked at when Prometheus asks. */
export type Load = { shards: number; devices: number };

/** Answers the text of `/metrics`. To be called once in a process. @param load what the host carries now */
export function metricsText(load: () => Load): () => Promise<string> {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge("gateway_shards_held", "Shards whose lease this host holds.", () => load().shards);
  gauge("gateway_devices_loaded", "Devices that this host has loaded.", () => load().devices);
  // Memory, processor, garbage collection and the lag of the event loop.
  collectDefaultMetrics({ register: registry });
  return async () => await registry.metrics();
}
