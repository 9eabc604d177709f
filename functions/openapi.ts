import * as z from "zod";
import { errors } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";
import { failure, success } from "./envelope.ts";
import { nothing } from "./route.ts";
import type { Route } from "./route.ts";

export type Json = { [name: string]: unknown };
export type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  security?: Json[];
  parameters: { name: string; in: string; required: boolean; description?: string; schema: Json }[];
  requestBody?: { required: boolean; content: Record<string, { schema: Json; example?: unknown }> };
  responses: Record<string, Response>;
};
type Response = {
  description: string;
  content: Record<string, { schema: Json; example?: unknown; examples?: Record<string, { value: unknown }> }>;
};
export type OpenApiDocument = {
  openapi: "3.1.0";
  info: { title: string; version: string; description: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; securitySchemes: Json };
};

const INFO = {
  title: "WhatsApp gateway",
  version: "1.0.0",
  description:
    "Send and receive WhatsApp messages over HTTP. Every answer has an `X-Request-Id` header; a sane one of the request is kept. People are spoken to in Indonesian, or in English with `Accept-Language: en`; `error.code` is the same in both. Fields that a route does not know are ignored.",
};
const EXAMPLE_TIMESTAMP = "2026-11-22 11:30:00";
const EXAMPLE_REQUEST_ID = "5f0c6f2e-8f5b-4b1c-9a53-2f1f0f6f7c11";

const timestamp = z.string().meta({ description: "`YYYY-MM-DD HH:mm:ss` in `APP_TIMEZONE`." });
const successOf = (data: z.ZodType) => z.object({ success: z.literal(true), message: z.string(), data, timestamp });
const failureSchema = z
  .object({
    success: z.literal(false),
    message: z.string(),
    error: z.object({
      code: z.string().meta({ description: "Stable. Each answer lists its codes; later versions may know more." }),
      details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    }),
    requestId: z.string(),
    timestamp,
  })
  .meta({ id: "Failure" });

/** The OpenAPI 3.1 description of the routes, made of the very schemas that validate their requests. */
export function openApiDocument(routes: readonly Route[]): OpenApiDocument {
  const schemas: Record<string, Json> = {};
  const paths: OpenApiDocument["paths"] = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: operation(route, schemas) };
  }
  const securitySchemes = {
    token: { type: "http", scheme: "bearer", description: "An API token." },
    login: { type: "apiKey", in: "cookie", name: "gateway", description: "Of a browser, over HTTPS `__Host-gateway`." },
  };
  return { openapi: "3.1.0", info: INFO, paths, components: { schemas, securitySchemes } };
}

function operation(route: Route, schemas: Record<string, Json>): Operation {
  const { request } = route;
  const scope = scopeOf(route);
  const failures = failureCodes(route);
  const statuses = [...new Set(failures.map((code) => errors[code].status))];
  const failed = statuses.map((status): [string, Response] => [
    String(status),
    refused(
      failures.filter((code) => errors[code].status === status),
      schemas,
    ),
  ]);
  const unchanged = route.polled && { 304: UNCHANGED };
  return {
    operationId: route.name,
    tags: [route.tag],
    summary: route.summary,
    description: scope === undefined ? route.description : `${route.description} Needs the scope \`${scope}\`.`,
    ...(route.access === "token" && { security: [{ token: scope === undefined ? [] : [scope] }, { login: [] }] }),
    parameters: [
      ...parameters("path", request.params, schemas),
      ...parameters("query", request.query, schemas),
      ...parameters("header", route.polled ? request.headers.extend(ifNoneMatch) : request.headers, schemas),
    ],
    ...(request.body !== nothing && {
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: jsonSchema(request.body, schemas), example: route.bodyExample },
          ...(route.form && { "multipart/form-data": { schema: formSchema(route.form, request.body, schemas) } }),
        },
      },
    }),
    responses: { ...Object.fromEntries([...answers(route, schemas), ...failed]), ...unchanged },
  };
}

/** The fields of the JSON body, and the files. */
function formSchema(
  { fileFields }: { fileFields: readonly string[] },
  body: z.ZodType,
  schemas: Record<string, Json>,
): Json {
  const properties = Object.fromEntries(fileFields.map((name) => [name, { type: "string", format: "binary" }]));
  return { allOf: [jsonSchema(body, schemas), { type: "object", properties }] };
}

const ifNoneMatch = {
  "if-none-match": z.string().optional().meta({ description: "The `ETag` of an answer that the client has." }),
};
const UNCHANGED: Response = { description: "The answer is the one that the client has.", content: {} };

/** Undefined where every caller may. */
const scopeOf = (route: Route) => (route.access === "token" && route.scope !== "any" ? route.scope : undefined);

/** The route's own failures and those that its access and its schemas bring with them. */
function failureCodes(route: Route): ErrorCode[] {
  const scope = scopeOf(route);
  const { params, query, headers, body } = route.request;
  const readsSomething = [params, query, headers, body].some((schema) => schema !== nothing);
  return [
    ...new Set<ErrorCode>([
      ...(readsSomething ? (["validation_failed"] as const) : []),
      ...(body === nothing ? [] : (["malformed_json", "payload_too_large", "unsupported_media_type"] as const)),
      ...(route.access === "token" ? (["unauthorized", "too_many_requests", "unavailable"] as const) : []),
      ...(route.access === "token" && route.method !== "get" ? (["cross_site"] as const) : []),
      ...(scope === undefined ? [] : (["insufficient_scope"] as const)),
      ...(scope === "admin" ? (["forbidden"] as const) : []),
      ...route.errors,
      "internal",
    ]),
  ];
}

function answers(route: Route, schemas: Record<string, Json>): [string, Response][] {
  const enveloped = Object.entries(route.answers).map(([status, { message, data, example }]): [string, Response] => {
    const body = {
      schema: jsonSchema(successOf(data), schemas),
      example: success(message, example, "id", EXAMPLE_TIMESTAMP),
    };
    return [status, { description: message.en, content: { "application/json": body } }];
  });
  if (!route.texts) return enveloped;
  const [, ok] = enveloped.find(([status]) => status === "200") ?? [];
  const content = { ...ok?.content, ...route.texts };
  return [["200", { description: ok?.description ?? route.summary, content }]];
}

function refused(codes: ErrorCode[], schemas: Record<string, Json>): Response {
  const examples = codes.map((code) => {
    const details = code === "validation_failed" ? [{ path: "body.to", message: "wajib diisi" }] : undefined;
    return [code, { value: failure(code, details, "id", EXAMPLE_REQUEST_ID, EXAMPLE_TIMESTAMP) }];
  });
  return {
    description: codes.map((code) => `\`${code}\`: ${errors[code].en}.`).join(" "),
    content: {
      "application/json": { schema: jsonSchema(failureSchema, schemas), examples: Object.fromEntries(examples) },
    },
  };
}

function parameters(place: "path" | "query" | "header", schema: z.ZodObject, schemas: Record<string, Json>) {
  const made = jsonSchema(schema, schemas) as { properties?: Record<string, Json>; required?: string[] };
  const { properties = {}, required = [] } = made;
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name: place === "header" ? headerName(name) : name,
    in: place,
    required: required.includes(name),
    ...(typeof description === "string" && { description }),
    schema: rest,
  }));
}

/** `idempotency-key` → `Idempotency-Key`, as people write it. */
const headerName = (name: string) => name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());

/** Named schemas go into the document's components, once. */
function jsonSchema(schema: z.ZodType, schemas: Record<string, Json>): Json {
  const made = z.toJSONSchema(schema, {
    io: "input",
    // The format says it, and the pattern would be longer than the rest of the schema.
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
    },
  });
  const text = JSON.stringify(made).replaceAll("#/$defs/", "#/components/schemas/");
  const { $schema: _dialect, $defs = {}, ...rest } = JSON.parse(text) as Json & { $defs?: Record<string, Json> };
  Object.assign(schemas, $defs);
  return rest;
}
