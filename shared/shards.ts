import { createHash } from "node:crypto";
import type { DeviceId } from "./ids.ts";

export type ShardCount = { shard: number; devices: number };

/**
 * The shard of a new device, `0 … shards - 1`: one with the fewest devices, and among those the one that the hash of the
 * id points to. Stored on the device row when it is created and never computed again, so that a later change of the
 * number of shards moves nobody by accident.
 */
export function emptiestShard(deviceId: DeviceId, shards: number, counts: readonly ShardCount[]): number {
  const devices = new Map(counts.map((count) => [count.shard, count.devices]));
  const loads = Array.from({ length: shards }, (_, shard) => devices.get(shard) ?? 0);
  const least = Math.min(...loads);
  const emptiest = loads.flatMap((load, shard) => (load === least ? [shard] : []));
  const hash = createHash("sha256").update(deviceId).digest().readUInt32BE(0);
  return emptiest[hash % emptiest.length] ?? 0;
}
