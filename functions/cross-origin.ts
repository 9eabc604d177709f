import { cors } from "hono/cors";

/**
 * Lets pages of other origins call, with a token. Never with the login cookie: no `Access-Control-Allow-Credentials`.
 * @param origins `*` alone: any
 */
export const crossOrigin = (origins: string[]) =>
  cors({
    origin: origins.includes("*") ? "*" : origins,
    allowMethods: ["GET", "POST", "PUT", "DELETE"],
    allowHeaders: [
      "Accept-Language",
      "Authorization",
      "Content-Type",
      "Idempotency-Key",
      "If-None-Match",
      "Last-Event-ID",
      "Prefer",
      "X-Request-Id",
    ],
    exposeHeaders: [
      "ETag",
      "Idempotency-Replayed",
      "Preference-Applied",
      "RateLimit",
      "RateLimit-Policy",
      "Retry-After",
      "X-Request-Id",
    ],
    maxAge: 600,
  });
