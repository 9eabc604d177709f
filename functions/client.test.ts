import { describe, expect, test } from "vitest";
import { clientOf } from "./client.ts";

const node = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });
const lambda = (sourceIp: string) => ({ requestContext: { http: { sourceIp } } });

describe("the address of a client", () => {
  test("is the peer's, whatever the headers say", () => {
    const headers = { "x-forwarded-for": "198.51.100.1" };
    expect(clientOf(node("203.0.113.1"), headers, 0).address).toBe("203.0.113.1");
    expect(clientOf(node("::ffff:203.0.113.1"), headers, 0).address).toBe("203.0.113.1");
    expect(clientOf(lambda("203.0.113.1"), headers, 0).address).toBe("203.0.113.1");
    expect(clientOf(undefined, headers, 0).address).toBeNull();
  });

  test.each([
    ["one proxy", node("10.0.0.1"), "203.0.113.1", 1],
    ["one proxy, and a client that made something up", node("10.0.0.1"), "1.1.1.1, 203.0.113.1", 1],
    ["two proxies", node("10.0.0.1"), "1.1.1.1, 203.0.113.1, 10.0.0.2", 2],
    ["a proxy on the same machine", node("127.0.0.1"), "203.0.113.1", 1],
    ["CloudFront before a function", lambda("64.252.1.1"), "1.1.1.1, 203.0.113.1", 1],
    ["CloudFront before an HTTP API, which adds its peer", lambda("64.252.1.1"), "203.0.113.1, 64.252.1.1", 1],
  ])("behind %s is what the outermost of them saw", (_what, bindings, forwarded, proxies) => {
    expect(clientOf(bindings, { "x-forwarded-for": forwarded }, proxies).address).toBe("203.0.113.1");
  });

  test("is not known when a proxy did not say, or said something else", () => {
    expect(clientOf(node("10.0.0.1"), {}, 1).address).toBeNull();
    expect(clientOf(node("10.0.0.1"), { "x-forwarded-for": "unknown" }, 1).address).toBeNull();
  });
});

test("a request is secure when a function got it, or a trusted proxy says so", () => {
  const headers = { "x-forwarded-proto": "https" };
  expect(clientOf(lambda("203.0.113.1"), {}, 0).isSecure).toBe(true);
  expect(clientOf(node("10.0.0.1"), headers, 1).isSecure).toBe(true);
  expect(clientOf(node("10.0.0.1"), headers, 0).isSecure).toBe(false);
  expect(clientOf(node("10.0.0.1"), {}, 1).isSecure).toBe(false);
});

describe("the page that asks", () => {
  test.each([
    [{ "sec-fetch-site": "same-origin" }, "same"],
    [{ "sec-fetch-site": "same-site" }, "other"],
    [{ "sec-fetch-site": "cross-site", origin: "http://gw.example", host: "gw.example" }, "other"],
    [{ origin: "http://gw.example:4000", host: "gw.example:4000" }, "same"],
    [{ origin: "http://gw.example:4001", host: "gw.example:4000" }, "other"],
    [{ origin: "null", host: "null" }, "other"],
    [{ host: "gw.example" }, "unknown"],
    [{ "sec-fetch-site": "none", host: "gw.example" }, "unknown"],
  ])("with %j is of the %s origin", (headers, site) => {
    expect(clientOf(undefined, headers, 0).site).toBe(site);
  });

  test("behind a proxy is compared with the host that the browser asked", () => {
    const headers = { origin: "https://gw.example", host: "10.0.0.5:4000", "x-forwarded-host": "gw.example" };
    expect(clientOf(node("10.0.0.1"), headers, 1).site).toBe("same");
    expect(clientOf(node("10.0.0.1"), headers, 0).site).toBe("other");
  });
});

test("the origin is how the client calls the API, as far as a trusted proxy or the client itself says", () => {
  const originOf = (headers: Record<string, string>, proxies: number) =>
    clientOf(node("10.0.0.1"), headers, proxies).origin;
  const forwarded = { host: "10.0.0.5:4000", "x-forwarded-host": "gw.example", "x-forwarded-proto": "https" };
  expect(originOf(forwarded, 1)).toBe("https://gw.example");
  expect(originOf(forwarded, 0)).toBe("http://10.0.0.5:4000");
  expect(originOf({ host: "[::1]:4000" }, 0)).toBe("http://[::1]:4000");
  expect(originOf({ host: "gw.example/@evil.example" }, 0)).toBeNull();
  expect(originOf({}, 0)).toBeNull();
});
