import { docsPage } from "../docs-page.ts";
import { openApiDocument } from "../openapi.ts";
import type { OpenApiDocument } from "../openapi.ts";
import { publicRoute } from "../route.ts";
import type { Route } from "../route.ts";

const tag = "Operations";

/** @param allRoutes loads every route, these two among them. The description is made when it is first asked for, once. */
export function docsRoutes(allRoutes: () => Promise<Route[]>): Route[] {
  let document: Promise<OpenApiDocument> | undefined;
  let json: Promise<string> | undefined;
  let page: Promise<string> | undefined;
  const described = () => (document ??= allRoutes().then(openApiDocument));
  const openapi = publicRoute({
    name: "openapi",
    method: "get",
    path: "/openapi.json",
    tag,
    summary: "This description",
    description: "OpenAPI 3.1, made of the schemas that validate the requests.",
    answers: {},
    texts: { "application/json": { schema: { type: "object" }, example: { openapi: "3.1.0" } } },
    errors: [],
    handle: async () => ({
      status: 200,
      contentType: "application/json",
      text: await (json ??= described().then((made) => JSON.stringify(made))),
    }),
  });
  const docs = publicRoute({
    name: "docs",
    method: "get",
    path: "/docs",
    tag,
    summary: "This description, to read",
    description: "One page without scripts.",
    answers: {},
    texts: { "text/html": { schema: { type: "string" }, example: "<!doctype html>" } },
    errors: [],
    handle: async () => ({
      status: 200,
      contentType: "text/html; charset=utf-8",
      text: await (page ??= described().then(docsPage)),
    }),
  });
  return [openapi, docs];
}
