import { expect, it } from "vitest";
import { startHealthServer } from "./health-server.ts";
import { metrics, metricsText } from "./metrics.ts";

it("a host tells on loopback that it lives and what it carries, and nothing else", async () => {
  const port = await startHealthServer(
    0,
    () => ({ shards: 3, devices: 7 }),
    metricsText(() => ({ shards: 3, devices: 7 })),
  );
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  expect([health.status, await health.json()]).toEqual([200, { shards: 3, devices: 7 }]);
  expect((await fetch(`http://127.0.0.1:${port}/anything`)).status).toBe(404);

  metrics.commandRun("send-text", "stored", 40);
  metrics.messageAnswered("refused", 1_500);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(text).toContain("gateway_shards_held 3\n");
  expect(text).toContain("gateway_devices_loaded 7\n");
  expect(text).toContain('gateway_command_seconds_count{kind="send-text",outcome="stored"} 1\n');
  expect(text).toContain('gateway_message_answer_seconds_bucket{le="2.5",outcome="refused"} 1\n');
  expect(text).toContain("nodejs_eventloop_lag_p99_seconds");
});
