import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import { beforeAll, expect, test } from "vitest";
import { temporaryDirectory } from "../tests/support/stack.ts";
import { objectLink } from "./object-link.ts";
import { startServer } from "./server.ts";
import { startGateway } from "./testing/gateway.ts";
import { withObjects } from "./with-objects.ts";

const BYTES = randomBytes(300_000);

let link: (signed: string) => string;
let files: Awaited<ReturnType<typeof startGateway>>["services"]["files"];

beforeAll(async () => {
  const { services } = await startGateway();
  ({ files } = services);
  const endpoint = new URL(await files.downloadUrl("x", 60)).origin;
  const app = new Hono().all("*", (c) => c.text("the API itself", 404));
  const server = await startServer(withObjects(app, endpoint, services.config), { bindAddress: "127.0.0.1", port: 0 });
  const call = {
    services: { ...services, config: { ...services.config, objectEndpoint: endpoint } },
    client: { origin: server.url, address: null, isSecure: false, site: "unknown" as const },
  };
  link = (signed) => objectLink(signed, call);
  const path = join(await temporaryDirectory(), "file");
  await writeFile(path, BYTES);
  await files.put("received/a b", { path, sizeBytes: BYTES.length }, { mimetype: "text/html", fileName: "a.html" });
  return () => server.close();
});

test("who has the link reads the file, whole, in parts, or learns that it is the same; it is saved and never run", async () => {
  const url = link(await files.downloadUrl("received/a b", 60));
  const whole = await fetch(url);
  expect(Buffer.from(await whole.arrayBuffer()).equals(BYTES)).toBe(true);
  expect(Object.fromEntries(whole.headers)).toMatchObject({
    "content-disposition": "attachment; filename*=UTF-8''a.html",
    "content-security-policy": "sandbox; default-src 'none'",
    "content-length": String(BYTES.length),
  });
  const part = await fetch(url, { headers: { range: "bytes=10-19" } });
  expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, BYTES.subarray(10, 20)]);
  const same = await fetch(url, { headers: { "if-none-match": whole.headers.get("etag") ?? "" } });
  expect(same.status).toBe(304);
});

test("who has the link of an upload writes exactly what was asked for", async () => {
  const asked = { mimetype: "application/pdf", sizeBytes: BYTES.length };
  const url = link(await files.uploadUrl("uploads/one", asked, 60));
  const put = (body: Uint8Array<ArrayBuffer>) =>
    fetch(url, { method: "PUT", body, headers: { "content-type": asked.mimetype } });
  // Larger than what fits between the two: it is refused while it is being sent, and the connection stays good.
  expect((await put(new Uint8Array(8_000_000))).status).toBe(403);
  expect((await put(new Uint8Array(BYTES))).status).toBe(200);
  const read = await fetch(link(await files.downloadUrl("uploads/one", 60)));
  expect(Buffer.from(await read.arrayBuffer()).equals(BYTES)).toBe(true);
});

test("a link for one file opens no other, and without a signature it is the API's to answer", async () => {
  const url = new URL(link(await files.downloadUrl("received/a b", 60)));
  const other = new URL(url);
  other.pathname = "/objects/uploads/one";
  expect((await fetch(other)).status).toBe(403);
  expect((await fetch(url, { method: "PUT", body: "mine now" })).status).toBe(403);
  expect(await (await fetch(url.origin + url.pathname)).text()).toBe("the API itself");
  expect(await (await fetch(url, { method: "DELETE" })).text()).toBe("the API itself");
});
