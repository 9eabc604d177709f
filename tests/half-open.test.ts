import { expect, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

test(
  "a line that went dead is told as degraded, not as connected, and is replaced by one that works",
  { timeout: 90_000 },
  async () => {
    const stack = await freshStack({ environment: { WA_KEEPALIVE_INTERVAL_MS: "1500", LEASE_DURATION_MS: "6000" } });
    const gateway = new Gateway(stack);
    const owner = await Phone.create(stack, "6281100000301");
    const friend = await Phone.create(stack, "6281100000302");
    await gateway.link("half-open", owner);
    await owner.fault("half-open", { count: 1 });
    const seen = await eventually("degraded", 20_000, async () => {
      const { data } = (await gateway.status("half-open")).body;
      return data.status === "degraded" && data;
    });
    expect(seen).toMatchObject({ isConnected: false, statusReason: "silent" });
    await gateway.connected("half-open", 20_000);
    const sent = await gateway.send("half-open", friend.number, "terdengar?");
    expect(await friend.received(sent.body.data.messageId)).toMatchObject({ text: "terdengar?", copies: 1 });
    const told = (await gateway.events("half-open")).filter(({ type }) => type === "device.status");
    const statuses = told.map(({ data }) => data["status"]);
    expect(new Set(statuses.slice(statuses.indexOf("degraded")))).toEqual(
      new Set(["degraded", "connecting", "connected"]),
    );
    expect(statuses.at(-1)).toBe("connected");
  },
);
