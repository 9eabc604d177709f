import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { startHealthServer } from "./health-server.ts";
import { metrics, metricsText } from "./metrics.ts";

it("a host tells on loopback that it lives and what it carries, and nothing else", async () => {
  const port = await startHealthServer(
    0,
    () => ({ shards: 3, devices: 7, connected: 5 }),
    metricsText(() => ({ shards: 3, devices: 7, connected: 5 })),
  );
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  expect([health.status, await health.json()]).toEqual([200, { shards: 3, devices: 7, connected: 5 }]);
  expect((await fetch(`http://127.0.0.1:${port}/anything`)).status).toBe(404);

  metrics.commandRun("send-text", "stored", 40);
  metrics.messageAnswered("refused", 1_500);
  metrics.connection("reconnect", 428);
  metrics.connection("reconnect", 7_777);
  metrics.connection("opened");
  metrics.leaseChanged("taken");
  metrics.appended("ok", 20);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(text).toContain("gateway_shards_held 3\n");
  expect(text).toContain("gateway_devices_loaded 7\n");
  expect(text).toContain('gateway_command_seconds_count{kind="send-text",outcome="stored"} 1\n');
  expect(text).toContain('gateway_message_answer_seconds_bucket{le="2.5",outcome="refused"} 1\n');
  expect(text).toContain("gateway_devices_connected 5\n");
  expect(text).toContain('gateway_connections_total{event="reconnect",code="428"} 1\n');
  expect(text).toContain('gateway_connections_total{event="reconnect",code="other"} 1\n');
  expect(text).toContain('gateway_connections_total{event="opened",code="none"} 1\n');
  expect(text).toContain('gateway_lease_changes_total{change="taken"} 1\n');
  expect(text).toContain("nodejs_eventloop_lag_p99_seconds");

  const dashboard = await readFile(new URL("../ops/grafana-dashboard.json", import.meta.url), "utf8");
  const shown = new Set(dashboard.match(/\b(?:gateway|nodejs)_\w+/g));
  expect([...shown].filter((name) => !text.includes(name))).toEqual([]);
});
