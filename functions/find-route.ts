import { LinearRouter } from "hono/router/linear-router";
import type { ApiConfig } from "../shared/config.ts";
import { areasOf, loadArea } from "./areas.ts";
import type { AreaName } from "./areas.ts";
import type { Route } from "./route.ts";

/** The route of a request; or where there is none, the methods that there are for its path. */
type Found = { route: Route; params: Record<string, string> } | { methods: string[] };

/** Every method of a route there is. */
const METHODS = ["GET", "POST", "PUT", "DELETE"];

/** Finds the route of a request, and loads what it belongs to when it is the first to ask for it. */
export function routeFinder(config: ApiConfig) {
  const loaded = new Map<AreaName, Promise<LinearRouter<Route>>>();
  const open = (name: AreaName) => {
    const router = loaded.get(name) ?? loadArea(name, config).then(routerOf);
    loaded.set(name, router);
    return router;
  };
  return async (method: string, path: string): Promise<Found> => {
    const methods = new Set<string>();
    for (const name of areasOf(path)) {
      const router = await open(name);
      const [first] = router.match(method === "HEAD" ? "GET" : method, path)[0];
      if (first) return { route: first[0], params: decoded(first[1] as Record<string, string>) };
      for (const other of METHODS) if (router.match(other, path)[0].length) methods.add(other);
    }
    return { methods: [...methods] };
  };
}

function routerOf(routes: readonly Route[]): LinearRouter<Route> {
  const router = new LinearRouter<Route>();
  for (const route of routes) router.add(route.method.toUpperCase(), route.path, route);
  return router;
}

const decoded = (params: Record<string, string>) =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decode(value)]));

/** What cannot be decoded stays as it is: the schemas look at it. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
