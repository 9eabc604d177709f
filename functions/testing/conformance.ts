import { expect } from "vitest";
import * as z from "zod";
import { openApiDocument } from "../openapi.ts";
import type { Json } from "../openapi.ts";
import type { Route } from "../route.ts";

/** Checks answers against the OpenAPI document of the routes: a status, a media type and a body that it names. */
export function conformance(routes: readonly Route[]) {
  const { paths, components } = openApiDocument(routes);
  const patterns = Object.keys(paths).map((path) => ({
    path,
    pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}/?$`),
  }));
  const compiled = new Map<string, z.ZodType>();
  return async (method: string, url: string, response: Response): Promise<void> => {
    const { pathname } = new URL(url, "http://localhost");
    // Those without parameters come first in the document, as they do in the router.
    const path = patterns.find(({ pattern }) => pattern.test(pathname))?.path ?? "";
    const operation = paths[path]?.[method.toLowerCase()];
    if (!operation) {
      expect([404, 405], `${method} ${pathname} is not documented`).toContain(response.status);
      return;
    }
    const documented = operation.responses[response.status];
    const name = `${method} ${path} ${response.status}`;
    if (!documented) throw new Error(`${name} is not documented`);
    if (response.status === 304) return;
    const type = (response.headers.get("content-type") ?? "").split(";")[0] ?? "";
    const content = documented.content[type];
    if (!content) throw new Error(`${name} has no ${type} in the document`);
    if (type !== "application/json") return;
    const schema = compiled.get(name) ?? compile(content.schema, components.schemas);
    compiled.set(name, schema);
    const { error } = schema.safeParse(await response.clone().json());
    if (error) throw new Error(`${name} is not as documented: ${error.message}`);
  };
}

/** Unknown fields are mistakes here, though the document lets clients meet them in later versions. */
function compile(schema: Json, schemas: Record<string, Json>): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: schemas }).replaceAll("#/components/schemas/", "#/$defs/");
  const strict = JSON.parse(text, (_name, value: Json | null) =>
    value?.["properties"] && value["additionalProperties"] === undefined
      ? { ...value, additionalProperties: false }
      : value,
  );
  return z.fromJSONSchema(strict);
}
