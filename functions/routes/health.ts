import * as z from "zod";
import { ApiError } from "../../shared/errors.ts";
import { readiness } from "../readiness.ts";
import { answer, publicRoute } from "../route.ts";
import type { Route } from "../route.ts";

const tag = "Operations";
const OK = "ok" as const;

const health = publicRoute({
  name: "health",
  method: "get",
  path: "/health",
  tag,
  summary: "Is the API alive?",
  description: "Looks at nothing but itself.",
  answers: {
    200: answer({ id: "API berjalan", en: "The API is running" }, z.object({ status: z.literal("ok") }), {
      status: "ok",
    }),
  },
  errors: [],
  handle: async () => ({ status: 200, data: { status: OK } }),
});

const ready = publicRoute({
  name: "ready",
  method: "get",
  path: "/health/ready",
  tag,
  summary: "Can requests be served?",
  description:
    "200 when the database and the queue answer and a living socket host holds every shard. Otherwise 503, and `error.details` names each part that is not ready.",
  answers: {
    200: answer(
      { id: "Semua bagian siap", en: "Every part is ready" },
      z.object({ database: z.literal("ok"), queue: z.literal("ok"), shards: z.literal("ok") }),
      { database: "ok", queue: "ok", shards: "ok" },
    ),
  },
  errors: ["unavailable"],
  async handle({ services }) {
    const parts = await readiness(services.database, services.queues);
    const details = Object.entries(parts).flatMap(([path, message]) => (message ? [{ path, message }] : []));
    if (details.length) throw new ApiError("unavailable", details);
    return { status: 200, data: { database: OK, queue: OK, shards: OK } };
  },
});

export const healthRoutes: Route[] = [health, ready];
