import type { LookupAddress } from "node:dns";
import { createServer } from "node:http";
import type { RequestListener, ServerResponse } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as createTcpServer, isIPv6 } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { errors } from "./errors.ts";
import { fetchRefusals } from "./fetch-refusals.ts";
import { openGuardedFetch } from "./guarded-fetch.ts";
import type { FetchLimits, FetchRequest, GuardedFetch } from "./guarded-fetch.ts";

const LIMITS: FetchLimits = {
  maxBytes: 100_000,
  headersTimeoutMs: 10_000,
  idleTimeoutMs: 10_000,
  totalTimeoutMs: 10_000,
  maxRedirects: 3,
};
/** In 2000::/3, and nobody's yet (IANA): what a rebinding DNS says first. */
const UNUSED_PUBLIC = "3000::1";

/** What the DNS of these tests answers. `outside.test` and `other.test` are open to be inside: they stand for the world. */
const NAMES: Record<string, string[]> = {
  "outside.test": ["127.0.0.1"],
  "other.test": ["127.0.0.1"],
  localhost: ["127.0.0.1"],
  "localhost.": ["127.0.0.1"],
  "a.localhost": ["127.0.0.1", "::1"],
  "loopback.test": ["127.0.0.1"],
  "loopback6.test": ["::1"],
  "mapped.test": ["::ffff:127.0.0.1"],
  "private.test": ["10.0.0.1", "fd00::1"],
  "metadata.test": ["169.254.169.254"],
  "nat64.test": ["64:ff9b::a9fe:a9fe"],
  "zone.test": ["fe80::1%eth0"],
  "odd.test": ["127.1"],
};
/** IPv4 in every way that a URL may write it, IPv6 with everything that can be hidden in it, and names. */
const INSIDE_HOSTS = `
  127.0.0.1 127.0.0.1. 127.1 127.0.1 127.8.9.10 127.255.255.254 2130706433 0x7f000001 0X7F.0.0.1 0x7f.1
  017700000001 0177.0.0.01 0 0.0.0.0 0x0 1.0.0.0.0x7f000001 ①②⑦.⓪.⓪.① １２７.０.０.１ 127。0。0。1
  %31%32%37.0.0.1 @127.0.0.1 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.100.100.200
  169.254.169.254 169.254.170.2 2852039166 0xa9fea9fe 168.63.129.16 192.0.0.192 192.0.2.1 198.18.0.1
  203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255
  [::1] [0:0:0:0:0:0:0:1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:a9fe:a9fe] [::127.0.0.1]
  [::7f00:1] [::ffff:0:7f00:1] [64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::7f00:1]
  [2002:7f00:1::] [2001:0:7f00:1::] [2001:db8::1] [fe80::1] [fec0::1] [fc00::1] [fd00:ec2::254]
  [fd00:ec2::23] [ff02::1] [100::1] [4000::1] [5f00::1]
  localhost LOCALHOST localhost. a.localhost loopback.test loopback6.test mapped.test private.test
  metadata.test nat64.test zone.test odd.test
`
  .trim()
  .split(/\s+/);

let lookups: string[] = [];

async function resolve(hostname: string): Promise<LookupAddress[]> {
  lookups.push(hostname);
  const isFirst = lookups.filter((name) => name === hostname).length === 1;
  const found = hostname === "rebinding.test" ? [isFirst ? UNUSED_PUBLIC : "127.0.0.1"] : NAMES[hostname];
  if (!found) throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
  return found.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
}

const servers: Server[] = [];
let reached = 0;
/** Where nobody may get to, on every address of this machine. */
let inside: number;
/** The world's server. */
let outside: number;
let guarded: GuardedFetch;
let answer: RequestListener;

async function listen(server: Server, address?: string): Promise<number> {
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, address, ready));
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  inside = await listen(createServer((_, response) => void response.end("secret")).on("connection", () => reached++));
  outside = await listen(
    createServer((request, response) => answer(request, response)),
    "127.0.0.1",
  );
  guarded = openGuardedFetch(["outside.test", "other.test"], resolve);
});
afterAll(() => {
  guarded.close();
  for (const server of servers) server.close();
});
beforeEach(() => {
  lookups = [];
  reached = 0;
  answer = (_, response) => void response.end("hello");
});

const text = async (body: AsyncIterable<Buffer>) => {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};
const read = (url: string, limits: Partial<FetchLimits> = {}, request: Partial<FetchRequest> = {}) =>
  guarded.fetch({ url, method: "GET", ...request, limits: { ...LIMITS, ...limits } }, async (response) => ({
    status: response.status,
    host: response.url.hostname,
    text: await text(response.body),
  }));
const refused = (reason: string) => ({ ok: false, reason });

describe("nothing inside is reached", () => {
  test.each(INSIDE_HOSTS)("by the host %s, nor by a redirect to it", async (host) => {
    const there = `http://${host}:${inside}/`;
    // A label more than an address has makes it no URL at all.
    const reason = host.includes("0.0x7f000001") ? "url_invalid" : "inside_address";
    expect(await read(there)).toEqual(refused(reason));
    answer = (_, response) =>
      void response.writeHead(302, { location: there.replace(/[^ -~]/gu, encodeURIComponent) }).end();
    expect(await read(`http://outside.test:${outside}/`)).toEqual(refused(reason));
    expect(reached).toBe(0);
  });

  test.each([301, 302, 303, 307, 308])("by a redirect %i, absolute, by protocol or through a third", async (status) => {
    const targets = [
      `http://127.0.0.1:${inside}/`,
      `//127.1:${inside}/`,
      `\\\\127.0.0.1:${inside}\\`,
      `http:\\\\localhost:${inside}`,
      `https://[::1]:${inside}/`,
    ];
    for (const location of targets) {
      answer = (request, response) =>
        void response.writeHead(status, { location: request.url === "/last" ? location : "/last" }).end();
      expect(await read(`http://outside.test:${outside}/`), location).toEqual(refused("inside_address"));
    }
    expect(reached).toBe(0);
  });

  test("by a name whose address changes between two looks: there is one look for each connection", async () => {
    const url = `http://rebinding.test:${inside}/`;
    expect((await read(url, { totalTimeoutMs: 300 })).ok).toBe(false);
    expect(lookups).toEqual(["rebinding.test"]);
    expect(await read(url)).toEqual(refused("inside_address"));
    expect(reached).toBe(0);
  });

  test("by the address of a host that may be inside, when the URL names another", async () => {
    const own = openGuardedFetch(["127.0.0.1", "::1"], resolve);
    const at = (host: string) =>
      own.fetch({ url: `http://${host}:${inside}/`, method: "GET", limits: LIMITS }, ({ body }) => text(body));
    for (const host of ["localhost", "loopback.test", "127.0.0.2", "[::ffff:127.0.0.1]"]) {
      expect(await at(host), host).toEqual(refused("inside_address"));
    }
    expect(reached).toBe(0);
    expect(await at("127.1")).toEqual({ ok: true, value: "secret" });
    expect(reached).toBe(1);
    own.close();
  });
});

describe("a URL is refused before anything is asked", () => {
  test.each([
    ["", "url_invalid"],
    ["outside.test/a", "url_invalid"],
    ["http://", "url_invalid"],
    ["http://[::1/", "url_invalid"],
    ["http://[fe80::1%25eth0]/", "url_invalid"],
    ["http://256.256.256.256/", "url_invalid"],
    ["http://127.0.0.1:99999/", "url_invalid"],
    ["http://outside%00.test/", "url_invalid"],
    ["ftp://outside.test/", "scheme_not_allowed"],
    ["file:///etc/passwd", "scheme_not_allowed"],
    ["gopher://outside.test:70/_", "scheme_not_allowed"],
    ["data:text/plain,hello", "scheme_not_allowed"],
    ["javascript:alert(1)", "scheme_not_allowed"],
    ["ws://outside.test/", "scheme_not_allowed"],
    ["unix:/var/run/docker.sock", "scheme_not_allowed"],
    ["http://user@outside.test/", "user_info"],
    ["http://:password@outside.test/", "user_info"],
    ["http://outside.test%40127.0.0.1@outside.test/", "user_info"],
    ["http://127.0.0.1:80@outside.test/", "user_info"],
    ["http://outside.test:0/", "port_not_allowed"],
    ["http://outside.test:22/", "port_not_allowed"],
    ["http://outside.test:25/", "port_not_allowed"],
    ["http://outside.test:81/", "port_not_allowed"],
    ["http://outside.test:0444/", "port_not_allowed"],
    ["https://outside.test:1023/", "port_not_allowed"],
  ])("%j: %s, and so is a redirect to it", async (url, reason) => {
    expect(await read(url)).toEqual(refused(reason));
    expect(lookups).toEqual([]);
    // Relative to where it was found, these two are other URLs.
    if (url === "" || url === "outside.test/a") return;
    answer = (_, response) => void response.writeHead(302, { location: url }).end();
    expect(await read(`http://outside.test:${outside}/`)).toEqual(refused(reason));
  });
});

test("a URL of more than 2048 characters is refused", async () => {
  const url = `http://outside.test:${outside}/`.padEnd(2048, "a");
  expect((await read(url)).ok).toBe(true);
  expect(await read(`${url}a`)).toEqual(refused("url_invalid"));
});

test("every reason is a clear 4xx", () => {
  for (const { code } of Object.values(fetchRefusals)) expect([400, 413, 422]).toContain(errors[code].status);
});

describe("an answer", () => {
  test("of the world comes as it is, with any status", async () => {
    answer = (_, response) => void response.writeHead(404).end("nothing here");
    const value = { status: 404, host: "outside.test", text: "nothing here" };
    expect(await read(`http://outside.test:${outside}/`)).toEqual({ ok: true, value });
  });

  test("is followed to where it leads, without the headers that were meant for the first place", async () => {
    const seen: (string | undefined)[] = [];
    answer = (request, response) => {
      seen.push(request.headers["x-signature"]?.toString());
      if (seen.length < 4) response.writeHead(307, { location: `http://other.test:${outside}/${seen.length}` });
      response.end("there");
    };
    const found = await read(`http://outside.test:${outside}/`, {}, { headers: { "x-signature": "1" } });
    expect(found).toEqual({ ok: true, value: { status: 200, host: "other.test", text: "there" } });
    expect(seen).toEqual(["1", undefined, undefined, undefined]);
  });

  test("that redirects for ever is given up", async () => {
    let asked = 0;
    answer = (_, response) => void response.writeHead(302, { location: `/${asked++}` }).end();
    expect(await read(`http://outside.test:${outside}/`)).toEqual(refused("too_many_redirects"));
    expect(asked).toBe(LIMITS.maxRedirects + 1);
  });

  test("that redirects is an answer to who follows none", async () => {
    let body = "";
    answer = (request, response) => {
      request.on("data", (chunk) => (body += String(chunk)));
      request.on("end", () => response.writeHead(302, { location: `http://127.0.0.1:${inside}/` }).end());
    };
    const found = await read(`http://outside.test:${outside}/`, { maxRedirects: 0 }, { method: "POST", body: "event" });
    expect(found).toMatchObject({ ok: true, value: { status: 302 } });
    expect(body).toBe("event");
    expect(reached).toBe(0);
  });

  test("may be exactly as large as it may be", async () => {
    answer = (_, response) => void response.end("x".repeat(5_000));
    expect((await read(`http://outside.test:${outside}/`, { maxBytes: 5_000 })).ok).toBe(true);
    expect(await read(`http://outside.test:${outside}/`, { maxBytes: 4_999 })).toEqual(refused("too_large"));
  });

  test("that says that it is huge is not read", async () => {
    let given = 0;
    answer = (_, response) => {
      response.writeHead(200, { "content-length": "1000000000000" }).write("x");
      given++;
    };
    let got = 0;
    const url = `http://outside.test:${outside}/`;
    const outcome = await guarded.fetch({ url, method: "GET", limits: LIMITS }, async ({ body }) => {
      for await (const chunk of body) got += chunk.length;
    });
    expect(outcome).toEqual(refused("too_large"));
    expect([given, got]).toEqual([1, 0]);
  });

  test("that does not end is cut off at the limit, and its sender notices", async () => {
    const closed = new Promise((resolve) => {
      answer = (request, response) => {
        request.socket.on("close", resolve);
        endless(response);
      };
    });
    expect(await read(`http://outside.test:${outside}/`)).toEqual(refused("too_large"));
    await closed;
  });

  test("is closed when nobody reads it", async () => {
    const closed = new Promise((resolve) => {
      answer = (request, response) => {
        request.socket.on("close", resolve);
        endless(response);
      };
    });
    const url = `http://outside.test:${outside}/`;
    const outcome = await guarded.fetch({ url, method: "GET", limits: LIMITS }, async ({ status }) => status);
    expect(outcome).toEqual({ ok: true, value: 200 });
    await closed;
  });

  test("whose reader fails is the reader's failure", async () => {
    const url = `http://outside.test:${outside}/`;
    const failing = guarded.fetch({ url, method: "GET", limits: LIMITS }, async ({ body }) => {
      for await (const _ of body) throw new Error("the disk is full");
    });
    await expect(failing).rejects.toThrow("the disk is full");
  });

  test("of which the reader tells nobody that it was cut off is cut off all the same", async () => {
    answer = (_, response) => endless(response);
    const url = `http://outside.test:${outside}/`;
    const outcome = await guarded.fetch({ url, method: "GET", limits: LIMITS }, ({ body }) =>
      text(body).catch(() => "all of it"),
    );
    expect(outcome).toEqual(refused("too_large"));
  });
});

describe("a server that is slow or broken", () => {
  const SHORT = 400;

  /** A server of raw bytes. @returns its URL, as of the world */
  const raw = async (serve: (socket: Socket) => void) => {
    const server = createTcpServer((socket) => serve(socket.on("error", () => undefined)));
    return `http://outside.test:${await listen(server, "127.0.0.1")}/`;
  };
  const HEAD = "HTTP/1.1 200 OK\r\n";
  /** Sends a piece again and again, in time for every limit but that of the whole. */
  const drip = (socket: Socket, first: string, piece: string) => {
    socket.write(first);
    const timer = setInterval(() => socket.write(piece), 20);
    socket.on("close", () => clearInterval(timer));
  };

  test("that never answers is left, by the limit of the headers and of the whole", async () => {
    const url = await raw(() => undefined);
    expect(await read(url, { headersTimeoutMs: SHORT })).toEqual(refused("timeout"));
    expect(await read(url, { totalTimeoutMs: SHORT })).toEqual(refused("timeout"));
  });

  test("that drips headers, or a body, is left when the whole takes too long", async () => {
    const headers = await raw((socket) => drip(socket, HEAD, "x: y\r\n"));
    expect(await read(headers, { totalTimeoutMs: SHORT })).toEqual(refused("timeout"));
    const body = await raw((socket) => drip(socket, `${HEAD}\r\n`, "x"));
    expect(await read(body, { totalTimeoutMs: SHORT })).toEqual(refused("timeout"));
  });

  test("that stops in the middle of the body is left after the idle limit", async () => {
    const url = await raw((socket) => socket.write(`${HEAD}content-length: 10\r\n\r\nhalf`));
    expect(await read(url, { idleTimeoutMs: SHORT })).toEqual(refused("timeout"));
  });

  test("that redirects slowly has one limit for all of it", async () => {
    answer = (_, response) => void setTimeout(() => response.writeHead(302, { location: "/" }).end(), SHORT);
    const limits = { totalTimeoutMs: 2 * SHORT, maxRedirects: 10 };
    expect(await read(`http://outside.test:${outside}/`, limits)).toEqual(refused("timeout"));
  });

  test.each([
    ["closes in the middle of the body", `${HEAD}content-length: 10\r\n\r\nhalf`, "broken_off"],
    ["closes in the middle of a chunk", `${HEAD}transfer-encoding: chunked\r\n\r\na\r\nhalf`, "broken_off"],
    ["sends headers without bound", `${HEAD}${"x: y\r\n".repeat(20_000)}\r\n`, "unreachable"],
    ["does not speak HTTP", "220 mail.test ESMTP\r\n", "unreachable"],
    ["closes at once", "", "unreachable"],
    ["tells two lengths", `${HEAD}content-length: 3\r\ncontent-length: 9\r\n\r\nabc`, "unreachable"],
    ["wants another protocol", "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "unreachable"],
  ])("that %s gives no answer", async (_, bytes, reason) => {
    const url = await raw((socket) => void socket.once("data", () => socket.end(bytes)));
    expect(await read(url)).toEqual(refused(reason));
  });

  test("that has no certificate, does not listen or does not exist gives no answer", async () => {
    expect(await read(`https://outside.test:${outside}/`)).toEqual(refused("unreachable"));
    const server = createTcpServer();
    const port = await listen(server, "127.0.0.1");
    await new Promise((resolve) => server.close(resolve));
    expect(await read(`http://outside.test:${port}/`)).toEqual(refused("unreachable"));
    expect(await read("https://nowhere.test/")).toEqual(refused("unknown_host"));
  });
});

/** Writes as long as the other side reads. */
function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(16_384);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more).on("error", () => undefined);
  more();
}
