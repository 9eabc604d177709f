import { Hono } from "hono";
import * as z from "zod";
import type { Network } from "../network/network.ts";
import { phoneNumber, readBody, readQuery } from "./input.ts";

const traceQuery = z.object({ phone: phoneNumber.optional(), since: z.coerce.number().int().min(0).optional() });
const MAX_ADVANCE_MS = 30 * 24 * 3_600_000;
const advance = z.strictObject({ advanceMs: z.int().positive().max(MAX_ADVANCE_MS) });

/** `/stats`, `/trace`, `/clock`, `/reset`. */
export function observationRoutes(network: Network): Hono {
  const app = new Hono();
  app.get("/stats", (context) => context.json(describe(network)));
  app.get("/trace", async (context) => context.json(network.trace.list(readQuery(context, traceQuery))));
  app.post("/clock", async (context) => {
    network.clock.advance((await readBody(context, advance)).advanceMs);
    return context.json({ now: network.clock.now() });
  });
  app.post("/reset", (context) => {
    network.reset();
    return context.json({});
  });
  return app;
}

function describe(network: Network) {
  const { stats } = network;
  return {
    connections: { now: network.connections.size, ever: stats.connectionsEver },
    logins: stats.logins,
    devices: network.linkedDevices().map((device) => ({
      phone: device.account.number,
      device: device.device,
      connectionsNow: device.connections.now,
      connectionsEver: device.connections.ever,
      replaced: device.connections.replaced,
      longestOverlapMs: device.connections.longestOverlapMs,
      connections: device.connections.spells,
      queued: device.queue.length,
    })),
    stanzas: { in: Object.fromEntries(stats.stanzas.in), out: Object.fromEntries(stats.stanzas.out) },
    messages: {
      routed: stats.messagesRouted,
      distinctIds: stats.distinctMessageIds,
      repeatedIds: stats.repeatedMessageIds,
    },
    undecryptable: stats.undecryptable,
    retryReceipts: stats.retryReceipts,
    droppedFromQueues: stats.droppedFromQueues,
    broken: stats.broken,
  };
}
