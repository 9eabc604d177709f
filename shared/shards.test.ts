import { describe, expect, it } from "vitest";
import type { DeviceId } from "./ids.ts";
import { emptiestShard } from "./shards.ts";

describe("emptiestShard", () => {
  it("puts four devices on four shards, whatever their ids", () => {
    const counts = new Map<number, number>();
    for (const deviceId of ["a-1", "a-2", "a-3", "a-4"]) {
      const known = [...counts].map(([shard, devices]) => ({ shard, devices }));
      const shard = emptiestShard(deviceId as DeviceId, 4, known);
      counts.set(shard, (counts.get(shard) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([1, 1, 1, 1]);
  });

  it("ignores shards that exist no more", () => {
    expect(
      emptiestShard("x-1" as DeviceId, 2, [
        { shard: 7, devices: 0 },
        { shard: 0, devices: 3 },
      ]),
    ).toBe(1);
  });
});
