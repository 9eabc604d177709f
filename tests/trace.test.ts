import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { freshStack, temporaryDirectory } from "./support/stack.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const EXPORTER = pathToFileURL(join(import.meta.dirname, "support/trace-to-file.mjs")).href;
const PATIENCE_MS = 60_000;

type Told = { messageId: string };
type Span = { name: string; traceId: string; spanId: string; parentSpanId?: string };

/** Lines of JSON; what else a process has said is passed over. */
const linesOf = <Line>(text: string) =>
  text.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Line] : []));

describe("one message", () => {
  let dataDir: string;
  let stack: Stack;
  let gateway: Gateway;
  let friend: Phone;
  /** By the id of a message, the `traceparent` with which its `message.sent` came to the webhook. */
  const told = new Map<string, string>();
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { type, data } = JSON.parse(Buffer.concat(chunks).toString()) as { type: string; data: Told };
      if (type === "message.sent") told.set(data.messageId, String(request.headers["traceparent"]));
      response.end();
    });
  });
  afterAll(() => {
    receiver.closeAllConnections();
    receiver.close();
  });

  beforeAll(async () => {
    dataDir = await temporaryDirectory();
    const environment = { NODE_OPTIONS: `--import ${EXPORTER}`, TRACE_FILE: join(dataDir, "spans.jsonl") };
    stack = await freshStack({ dataDir, environment });
    gateway = new Gateway(stack);
    const owner = await Phone.create(stack, "6281100000801");
    friend = await Phone.create(stack, "6281100000802");
    await gateway.link("traced", owner);
    await new Promise<void>((resolve) => {
      receiver.listen(0, "127.0.0.1", resolve);
    });
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    const created = await fetch(`${stack.apiUrl}/api/webhooks`, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.token}`, "content-type": "application/json" },
      body: JSON.stringify({ url, events: ["message.sent"] }),
    });
    if (!created.ok) throw new Error(`webhook not created: ${created.status}`);
  }, PATIENCE_MS);

  /** Of each process that has named the trace in its log, what it did then. */
  async function saidOf(traceId: string): Promise<Record<string, string[]>> {
    const said: Record<string, string[]> = {};
    for (const name of await readdir(join(dataDir, "logs"))) {
      type Line = { traceId?: string; part: string; msg: string };
      for (const line of linesOf<Line>(await readFile(join(dataDir, "logs", name), "utf8"))) {
        if (line.traceId === traceId) said[line.part] = [...(said[line.part] ?? []), line.msg];
      }
    }
    return said;
  }

  it("is found in the logs of all processes by the id that its answer has", { timeout: PATIENCE_MS }, async () => {
    const sent = await gateway.send("traced", friend.number, "halo");
    expect(sent.status).toBe(200);
    const id = sent.headers.get("x-request-id") ?? "";
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    await eventually("every process has named it", PATIENCE_MS, async () => {
      expect(await saidOf(id)).toMatchObject({
        api: ["request"],
        "socket-host": expect.arrayContaining(["command run", "message answered"]),
        deliver: ["event posted"],
      });
      return true;
    });
  });

  it("is one trace from the caller's span on, where an SDK is loaded", { timeout: PATIENCE_MS }, async () => {
    const headers = { traceparent: `00-${TRACE_ID}-${CALLER}-01`, "X-Request-Id": "order-4711" };
    const sent = await gateway.send("traced", friend.number, "halo lagi", headers);
    expect(sent.headers.get("x-request-id")).toBe("order-4711");
    const spans = await eventually("the spans are written", PATIENCE_MS, async () => {
      const all = linesOf<Span>(await readFile(join(dataDir, "spans.jsonl"), "utf8"));
      const ours = all.filter(({ traceId }) => traceId === TRACE_ID);
      return ours.length >= 4 && ours;
    });
    const path: (string | undefined)[] = [];
    for (let parent: string | undefined = CALLER; parent;) {
      const next: Span | undefined = spans.find(({ parentSpanId }) => parentSpanId === parent);
      if (next) path.push(next.name);
      parent = next?.spanId;
    }
    expect(path).toEqual(["request", "send-text", "send to WhatsApp", "deliver"]);
    const last = spans.find(({ name }) => name === "deliver");
    expect(told.get(sent.body.data.messageId)).toBe(`00-${TRACE_ID}-${last?.spanId}-01`);
  });
});
