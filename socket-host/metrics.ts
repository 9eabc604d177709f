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
  help: "Connections to WhatsApp that opened, or that ended: with which code, and what the host does then.",
  labelNames: ["event", "code"] as const,
  registers,
});
const leaseChanges = new Counter({
  name: "gateway_lease_changes_total",
  help: "Leases of shards that this host took, gave back, or lost to another host or to time.",
  labelNames: ["change"] as const,
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
  /** @param code with which a connection ended, see `closeReason` */
  connection: (event: "opened" | "restart" | "reconnect" | "yield" | "stop", code?: number) =>
    connections.inc({ event, code: code === undefined ? "none" : isUsual(code) ? String(code) : "other" }),
  leaseChanged: (change: "taken" | "released" | "lost") => leaseChanges.inc({ change }),
};

/** The server chooses the code, so it may be anything: only those of HTTP's errors are labels. */
const isUsual = (code: number) => Number.isInteger(code) && code >= 400 && code < 600;

/** What is looked at when Prometheus asks. */
export type Load = { shards: number; devices: number; connected: number };

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
  gauge(
    "gateway_devices_connected",
    "Devices of this host that have heard from WhatsApp lately.",
    () => load().connected,
  );
  // Memory, processor, garbage collection and the lag of the event loop.
  collectDefaultMetrics({ register: registry });
  return async () => await registry.metrics();
}
