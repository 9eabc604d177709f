import { expect, test } from "vitest";
import { loadApiConfig } from "../shared/config.ts";
import { allRoutes, areasOf, loadArea } from "./areas.ts";
import type { AreaName } from "./areas.ts";
import { routeFinder } from "./find-route.ts";

const config = loadApiConfig({
  DATABASE_URL: "mysql://localhost/x",
  COMMAND_QUEUE_URLS: "http://localhost/q",
  SCHEDULER_GROUP: "messages",
  SCHEDULER_ROLE_ARN: "arn:aws:iam::000000000000:role/scheduler",
  SCHEDULER_DEAD_LETTER_ARN: "arn:aws:sqs:us-east-1:000000000000:schedules-dead",
  MEDIA_BUCKET: "media",
  SESSION_SECRET: "0123456789abcdef0123456789abcdef",
});
const routes = await allRoutes(config);
const find = routeFinder(config);
const asked = (path: string, name = "shop-1") => path.replaceAll(/:\w+/g, name);

test.each(routes.map((route) => [route.name, route] as const))("%s is found by its path", async (name, route) => {
  const found = await find(route.method.toUpperCase(), asked(route.path));
  expect(found?.route.name).toBe(name);
});

test("what has no route is looked for everywhere and not found", async () => {
  for (const path of ["/", "/api", "/wp-login.php", "/constructor", "/api/auth/nothing/constructor"]) {
    expect(await find("GET", path), path).toBeUndefined();
  }
});

test("parameters come as they were meant, and one that cannot be decoded as it stands", async () => {
  const params = async (id: string) =>
    (await find("GET", `/api/whatsapp-multi-device/devices/${id}/status`))?.params["deviceId"];
  expect(await params("a%20b")).toBe("a b");
  expect(await params("%E0%A4%A")).toBe("%E0%A4%A");
});

test("a request for one of these loads one area, that of its route", async () => {
  const once = ["login", "ready", "sendMessage", "sendGroupMessage", "getDeviceStatus", "getDevice", "listDevices"];
  for (const route of routes.filter(({ name }) => once.includes(name))) {
    const [area, ...more] = areasOf(asked(route.path));
    const names = (await loadArea(area as AreaName, config)).map(({ name }) => name);
    expect([names.includes(route.name), more], route.name).toEqual([true, []]);
  }
});
