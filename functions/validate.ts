import * as z from "zod";
import { ApiError } from "../shared/errors.ts";
import { brokenRule, describeIssue } from "./issue.ts";
import type { Language } from "./language.ts";

/** A request as it came. `headers` has lower-case names; `body` is parsed JSON, `{}` when there was none. */
export type RawRequest = {
  params: Record<string, string>;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: unknown;
};

/** Each part of a request has a schema of its own; fields that a schema does not know are passed over. */
export type RequestSchemas<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Headers extends z.ZodObject,
  Body extends z.ZodObject,
> = { params: Params; query: Query; headers: Headers; body: Body };

/**
 * The request in its schemas' terms. Throws an `ApiError` that lists every wrong field of every part, so that a client
 * mends its request in one go.
 */
export function validate<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Headers extends z.ZodObject,
  Body extends z.ZodObject,
>(schemas: RequestSchemas<Params, Query, Headers, Body>, raw: RawRequest, language: Language) {
  const params = schemas.params.safeParse(raw.params, { reportInput: true });
  const query = schemas.query.safeParse(raw.query, { reportInput: true });
  const headers = schemas.headers.safeParse(raw.headers, { reportInput: true });
  const body = schemas.body.safeParse(raw.body, { reportInput: true });
  if (params.success && query.success && headers.success && body.success) {
    return { params: params.data, query: query.data, headers: headers.data, body: body.data };
  }
  const issues = [
    ...inPart("params", params.error),
    ...inPart("query", query.error),
    ...inPart("headers", headers.error),
    ...inPart("body", body.error),
  ];
  const codes = new Set(issues.map(({ issue }) => brokenRule(issue)?.code));
  const [code = "validation_failed"] = codes.size === 1 ? codes : [];
  const details = issues.map(({ path, issue }) => ({ path, message: describeIssue(issue, language) }));
  throw new ApiError(code, details);
}

const inPart = (part: keyof RawRequest, error: z.ZodError | undefined) =>
  (error?.issues ?? []).map((issue) => ({ path: [part, ...issue.path].map(String).join("."), issue }));
