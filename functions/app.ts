import { SpanKind } from "@opentelemetry/api";
import { Hono } from "hono";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { requestId } from "hono/request-id";
import type { RequestIdVariables } from "hono/request-id";
import { timeout } from "hono/timeout";
import { ApiError, errors } from "../shared/errors.ts";
import { beginStep, parseTrace, traceIdOf } from "../shared/trace.ts";
import type { Trace } from "../shared/trace.ts";
import { authenticate } from "./authenticate.ts";
import { authorize } from "./authorize.ts";
import { clientOf } from "./client.ts";
import { crossOrigin } from "./cross-origin.ts";
import { entityTag, isKnown } from "./entity-tag.ts";
import { failure, success } from "./envelope.ts";
import { routeFinder } from "./find-route.ts";
import { language } from "./language.ts";
import { localTime } from "./local-time.ts";
import { isOutage } from "./outage.ts";
import { budgetHeaders, createRateLimiter } from "./rate-limit.ts";
import { receive } from "./read-body.ts";
import type { Received } from "./read-form.ts";
import { auditAnswer } from "./record-audit.ts";
import { nothing } from "./route.ts";
import type { Answer, Credential, Route, Services } from "./route.ts";
import { securityHeaders } from "./security-headers.ts";

/** `logged` is what the access log tells besides the status: the route and ids, never content. */
type Logged = { route?: string; deviceId?: string; userId?: string };
type Env = { Variables: RequestIdVariables & { logged: Logged; trace: Trace } };

const MAX_REQUEST_ID_LENGTH = 64;
/** What a request may take besides waiting for a command, before its client is told to try again. */
const SLACK_MS = 10_000;
const OUT_OF_TIME = new HTTPException(503, { message: "the request took too long" });
const RETRY_AFTER_SECONDS = 5;
const NOTHING: Received = { body: {}, asSent: {}, files: [], dispose: () => Promise.resolve() };

/**
 * The API. It keeps nothing between requests and never throws: every answer is an envelope (but for the texts that a
 * route declares), a failure has a code of the table of errors, and an unknown path is `route_not_found`.
 */
export function createApp(services: Services): Hono<Env> {
  const { config, database, log, closing } = services;
  const clock = localTime(config.timeZone);
  const now = () => clock.format(new Date());
  // A slash at the end makes no difference, as in the service that clients come from.
  const app = new Hono<Env>({ strict: false });
  const languageOf = (c: Context<Env>) => language(c.req.header("accept-language"));

  const fail = (c: Context<Env>, error: ApiError) => {
    const { status } = errors[error.code];
    if (status === 401) c.header("WWW-Authenticate", "Bearer");
    if (status === 429 || status === 503)
      c.header("Retry-After", String(error.retryAfterSeconds ?? RETRY_AFTER_SECONDS));
    return c.json(failure(error.code, error.details, languageOf(c), c.get("requestId"), now()), status);
  };

  const withoutRoute = (c: Context<Env>, methods: readonly string[]) => {
    if (!methods.length) return fail(c, new ApiError("route_not_found"));
    c.header("Allow", [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", "));
    return c.req.method === "OPTIONS" ? c.body(null, 204) : fail(c, new ApiError("method_not_allowed"));
  };

  const reply = (c: Context<Env>, route: Route, answer: Answer) => {
    if ("text" in answer) {
      return c.body(answer.text, answer.status, { ...answer.headers, "Content-Type": answer.contentType });
    }
    for (const [name, value] of Object.entries(answer.headers ?? {})) c.header(name, value);
    if ("failure" in answer) return fail(c, answer.failure);
    const spec = route.answers[answer.status];
    if (!spec) throw new Error(`${route.name} has no answer ${answer.status}`);
    if (route.polled && answer.status === 200) {
      const tag = entityTag(answer.data, languageOf(c));
      c.header("ETag", tag);
      c.header("Cache-Control", "private, no-cache");
      c.header("Vary", "Accept-Language, Authorization, Cookie", { append: true });
      if (isKnown(tag, c.req.header("if-none-match"))) return c.body(null, 304);
    }
    c.status(answer.status as 200);
    return c.json(success(answer.message ?? spec.message, answer.data, languageOf(c), now()));
  };

  const budgetOf = config.rateLimitPerMinute ? createRateLimiter(database, config.rateLimitPerMinute) : undefined;
  const spend = async (c: Context<Env>, credential: Credential) => {
    const subject = credential.kind === "token" ? credential.tokenId : credential.hash.toString("hex");
    const budget = await budgetOf?.(subject);
    if (!budget) return;
    for (const [name, value] of Object.entries(budgetHeaders(budget))) c.header(name, value);
    if (budget.isSpent) throw new ApiError("too_many_requests", undefined, budget.resetsInSeconds);
  };

  app.use(async (c, next) => {
    const start = performance.now();
    const step = beginStep("request", SpanKind.SERVER, parseTrace(c.req.header("traceparent")));
    c.set("trace", step.trace);
    c.set("logged", {});
    await next();
    const ms = Math.round(performance.now() - start);
    const { method } = c.req;
    const { status } = c.res;
    const { route } = c.get("logged");
    step.end({
      attributes: { "http.request.method": method, "http.response.status_code": status, ...(route && { route }) },
      failed: status >= 500,
    });
    const ids = { requestId: c.get("requestId"), traceId: traceIdOf(step.trace) };
    log.info({ ...ids, method, status, ms, ...c.get("logged") }, "request");
  });
  // Who names no id of their own is answered that of the trace, which is in the lines of all processes.
  const generator = (c: Context) => traceIdOf((c as Context<Env>).get("trace"));
  app.use(requestId({ limitLength: MAX_REQUEST_ID_LENGTH, generator }));
  app.use(securityHeaders);
  if (config.corsOrigins.length) app.use(crossOrigin(config.corsOrigins));
  app.use(timeout(config.syncWaitMs + SLACK_MS, OUT_OF_TIME));

  const findRoute = routeFinder(config);
  app.all("*", async (c) => {
    const found = await findRoute(c.req.method, c.req.path);
    if ("methods" in found) return withoutRoute(c, found.methods);
    const { route, params } = found;
    const client = clientOf(c.env, c.req.header(), config.trustedProxies);
    const ofRequest = { ...services, trace: c.get("trace") };
    const common = { services: ofRequest, language: languageOf(c), client, requestId: c.get("requestId") };
    const raw = { params, query: c.req.query(), headers: c.req.header() };
    const logged = c.get("logged");
    logged.route = route.name;
    const read = async () =>
      route.request.body === nothing ? NOTHING : await receive(c.req.raw, route, common.language);
    if (route.access === "public") {
      const { body } = await read();
      return reply(c, route, await route.run({ ...raw, body }, common));
    }
    const caller = await authenticate(common, raw.headers);
    logged.userId = caller.userId;
    if (params["deviceId"] !== undefined) logged.deviceId = params["deviceId"];
    await spend(c, caller.credential);
    authorize(caller, client, { isWrite: route.method !== "get", scope: route.scope });
    const { body, asSent: rawBody, files, dispose } = await read();
    try {
      const isAbandoned = () => closing?.aborted === true || c.req.raw.signal.aborted;
      const call = { ...common, caller, method: c.req.method, path: c.req.path, rawBody, files, isAbandoned };
      const answer = await route.run({ ...raw, body }, call);
      await auditAnswer(route, params, answer, call);
      return reply(c, route, answer);
    } finally {
      await dispose();
    }
  });

  app.onError((error, c) => {
    if (error instanceof ApiError) return fail(c, error);
    const code = error === OUT_OF_TIME || isOutage(error) ? "unavailable" : "internal";
    const ids = { requestId: c.get("requestId"), traceId: traceIdOf(c.get("trace")) };
    log.error({ ...ids, route: c.get("logged").route, err: error }, code);
    return fail(c, new ApiError(code));
  });
  return app;
}
