import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import type { Network } from "../network/network.ts";
import { appStateRoutes } from "./app-state-routes.ts";
import { callRoutes } from "./call-routes.ts";
import { ControlError } from "./errors.ts";
import { faultRoutes } from "./fault-routes.ts";
import { groupRoutes } from "./group-routes.ts";
import { messageRoutes } from "./message-routes.ts";
import { observationRoutes } from "./observation-routes.ts";
import { phoneRoutes } from "./phone-routes.ts";
import { settingsRoutes } from "./settings-routes.ts";

/** What a Baileys program needs to connect here. */
export type Trust = { wsUrl: string; rootPublicKey: string; mediaPort: number };

const MAX_BODY_BYTES = 1024 * 1024;
/** For what carries files or whole histories. */
const MAX_LARGE_BODY_BYTES = 48 * 1024 * 1024;

/**
 * The control API: JSON over HTTP, errors as `{error:{code,message}}`. Pages may call it if they come from this machine
 * themselves; a page from elsewhere that a browser here happens to show may not.
 */
export function createControl(network: Network, trust: Trust): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    const origin = context.req.header("origin");
    if (origin !== undefined && !isLocal(origin)) {
      throw new ControlError(403, "foreign_origin", "only pages from this machine may use the simulator");
    }
    await next();
  });
  app.use(cors({ origin: (origin) => (isLocal(origin) ? origin : null) }));
  const [small, large] = [limitOf(MAX_BODY_BYTES), limitOf(MAX_LARGE_BODY_BYTES)];
  app.use((context, next) => (/\/(messages|history)$/.test(context.req.path) ? large : small)(context, next));
  app.get("/trust", (context) => context.json(trust));
  app.route("/phones", phoneRoutes(network));
  app.route("/phones", messageRoutes(network));
  app.route("/phones", settingsRoutes(network));
  app.route("/phones", callRoutes(network));
  app.route("/phones", appStateRoutes(network));
  app.route("/", groupRoutes(network));
  app.route("/faults", faultRoutes(network));
  app.route("/", observationRoutes(network));
  app.notFound((context) => context.json({ error: { code: "not_found", message: "no such call" } }, 404));
  app.onError((error, context) => {
    if (error instanceof ControlError) {
      // The rest of the body is not read, so nothing else can come over this connection.
      if (error.status === 413) context.header("connection", "close");
      return context.json({ error: { code: error.code, message: error.message } }, error.status);
    }
    return context.json({ error: { code: "internal", message: error.message } }, 500);
  });
  return app;
}

function limitOf(maxSize: number) {
  const onError = () => {
    throw new ControlError(413, "too_large", `a body may have at most ${maxSize} bytes`);
  };
  return bodyLimit({ maxSize, onError });
}

function isLocal(origin: string): boolean {
  return /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin);
}
