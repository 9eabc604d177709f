import { expect, test } from "vitest";
import { allRoutes, areasOf, loadArea } from "./areas.ts";
import type { AreaName } from "./areas.ts";
import { routeFinder } from "./find-route.ts";
import { apiConfig } from "./testing/api-config.ts";

const routes = await allRoutes(apiConfig);
const find = routeFinder(apiConfig);
const asked = (path: string, name = "shop-1") => path.replaceAll(/:\w+/g, name);

test.each(routes.map((route) => [route.name, route] as const))("%s is found by its path", async (name, route) => {
  const found = await find(route.method.toUpperCase(), asked(route.path));
  expect(found).toMatchObject({ route: { name } });
});

test("what has no route is looked for everywhere and not found", async () => {
  for (const path of ["/", "/api", "/wp-login.php", "/constructor", "/api/auth/nothing/constructor"]) {
    expect(await find("GET", path), path).toEqual({ methods: [] });
  }
});

test("parameters come as they were meant, and one that cannot be decoded as it stands", async () => {
  const ofDevice = async (id: string) => await find("GET", `/api/whatsapp-multi-device/devices/${id}/status`);
  expect(await ofDevice("a%20b")).toMatchObject({ params: { deviceId: "a b" } });
  expect(await ofDevice("%E0%A4%A")).toMatchObject({ params: { deviceId: "%E0%A4%A" } });
});

test("a request for one of these loads one area, that of its route", async () => {
  const once = ["login", "ready", "sendMessage", "sendGroupMessage", "getDeviceStatus", "getDevice", "listDevices"];
  for (const route of routes.filter(({ name }) => once.includes(name))) {
    const [area, ...more] = areasOf(asked(route.path));
    const names = (await loadArea(area as AreaName, apiConfig)).map(({ name }) => name);
    expect([names.includes(route.name), more], route.name).toEqual([true, []]);
  }
});
