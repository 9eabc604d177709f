import { isSending } from "../../shared/commands.ts";
import type { CommandMessage } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import type { Command, Outcome } from "../../shared/db/commands.ts";
import * as devices from "../../shared/db/devices.ts";
import type { StatusChange } from "../../shared/db/devices.ts";
import * as leases from "../../shared/db/leases.ts";
import type { Lease } from "../../shared/db/leases.ts";
import type { Database } from "../../shared/db/pool.ts";
import { newHostId } from "../../shared/ids.ts";
import type { DeviceId } from "../../shared/ids.ts";
import type { CommandQueues } from "../../shared/queue.ts";

export type HostDouble = Awaited<ReturnType<typeof startHost>>;
/** What the host does with a command that it has started; undefined leaves it unfinished. */
export type Behaviour = (command: Command, host: HostDouble) => Promise<Outcome | undefined>;

const LEASE_MS = 600_000;

/**
 * Stands in for a socket host: holds every shard, takes commands from the real queues, and writes what a host would
 * write, through the same functions. It has no sockets; `behave` says what becomes of a command.
 */
export async function startHost(database: Database, queues: CommandQueues, behave: Behaviour) {
  const hostId = newHostId();
  await leases.ensureShards(database, queues.shards);
  const held: Lease[] = [];
  for (let shard = 0; shard < queues.shards; shard++) {
    const lease = await leases.take(database, hostId, shard, LEASE_MS);
    if (lease) held.push(lease);
  }
  const stopping = new AbortController();
  const seen: CommandMessage[] = [];
  const epochOf = (shard: number) => held.find((lease) => lease.shard === shard)?.epoch ?? 0;

  const host = {
    /** Every queue message, in the order of arrival. */
    seen,
    setStatus: async (deviceId: DeviceId, change: Partial<StatusChange>): Promise<void> => {
      const device = await devices.getOwned(database, deviceId);
      const full = { status: "disconnected" as const, statusReason: null, connectionAttempts: 0, ...change };
      await devices.setStatus(database.pool, deviceId, epochOf(device?.shard ?? 0), full);
    },
    finish: async (command: Command, outcome: Outcome): Promise<void> => {
      const device = await devices.getOwned(database, command.deviceId);
      await commands.finish(database.pool, command.commandId, epochOf(device?.shard ?? 0), outcome);
    },
    /** Gives the shards back, as a host that ends, and takes no more commands. */
    stop: async (): Promise<void> => {
      stopping.abort();
      await Promise.all(loops);
      await Promise.all(held.map((lease) => leases.release(database, hostId, lease)));
    },
  };

  const run = async (message: CommandMessage, epoch: number) => {
    seen.push(message);
    const command = await commands.get(database, message.commandId);
    if (!command?.payload) return;
    const state = isSending(command.payload) ? "sending" : "running";
    if (!(await commands.start(database, command.commandId, epoch, state))) return;
    const outcome = await behave(command, host);
    if (outcome) await host.finish(command, outcome);
  };
  const loop = async ({ shard, epoch }: Lease) => {
    while (!stopping.signal.aborted) {
      const received = await queues.receive(shard, stopping.signal).catch(() => []);
      for (const { message } of received) if (message) await run(message, epoch);
      const handles = received.map(({ handle }) => handle);
      if (handles.length) await queues.delete(shard, handles);
    }
  };
  const loops = held.map(loop);
  return host;
}
