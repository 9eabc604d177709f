import { isSending, messageOf } from "./commands.ts";
import type { CommandPayload, SendingPayload } from "./commands.ts";
import * as commands from "./db/commands.ts";
import type { Command, NewCommand } from "./db/commands.ts";
import type { Device } from "./db/devices.ts";
import type { Database } from "./db/pool.ts";
import { messageIdFor, newCommandId } from "./ids.ts";
import type { UserId } from "./ids.ts";
import type { CommandQueues } from "./queue.ts";
import type { Trace } from "./trace.ts";

/** `key` is what the client chose, `fingerprint` the hash of the request it stands for. */
export type Idempotency = { key: string; fingerprint: Buffer };

/** `isReplay`: the key was used before for the same request; there is no second command. */
export type Accepted = { outcome: "dispatched"; command: Command; isReplay: boolean };
/** `mismatch`: the key was used before for another request. `full`: too many messages of the device wait already. */
export type Dispatched = Accepted | { outcome: "mismatch" } | { outcome: "full" };

/** `trace`: of the request that is being answered. */
type Services = { database: Database; queues: CommandQueues; trace?: Trace };
type Target = Pick<Device, "deviceId" | "userId" | "shard">;

/** Messages of a device that may wait to be begun: what its socket can send in about half a minute. */
export const MAX_QUEUED_MESSAGES = 500;

/**
 * Accepts a command: first its row, then the queue message that wakes the device's host. If the process dies between
 * the two, a sweep queues the row again; a doubled message is harmless, since the host looks at the row first.
 * Throws when the database or the queue does not answer. Then the command of a client that gave no key is ended, for
 * the client can only ask for a new one; with a key it stays, and the client's next try queues it.
 */
export async function dispatch(
  services: Services,
  device: Target,
  payload: Exclude<CommandPayload, SendingPayload>,
): Promise<Accepted>;
export async function dispatch(
  services: Services,
  device: Target,
  payload: CommandPayload,
  idempotency: Idempotency | undefined,
): Promise<Dispatched>;
export async function dispatch(
  services: Services,
  device: Target,
  payload: CommandPayload,
  idempotency?: Idempotency,
): Promise<Dispatched> {
  const { database, queues, trace } = services;
  const { deviceId, userId, shard } = device;
  if (isSending(payload) && (await commands.isBacklog(database, deviceId, MAX_QUEUED_MESSAGES)))
    return { outcome: "full" };
  const commandId = newCommandId();
  const messageId = isSending(payload) ? messageIdFor(deviceId, commandId) : null;
  const row = { commandId, deviceId, userId, payload, messageId };
  const isNew = await commands.create(database, {
    ...row,
    ...(idempotency && { idempotency }),
    ...(trace && { trace }),
  });
  const replay = !isNew && idempotency ? await findReplay(services, device, idempotency) : undefined;
  if (replay) return replay;
  try {
    await queues.send(shard, messageOf(commandId, deviceId, payload));
  } catch (error) {
    if (!idempotency) await commands.abandon(database, commandId).catch(() => undefined);
    throw error;
  }
  return { outcome: "dispatched", command: justAccepted(row), isReplay: false };
}

/** As the row says it, but for the database's clock. */
const justAccepted = (row: Omit<NewCommand, "idempotency" | "trace">): Command => ({
  ...row,
  trace: null,
  isOfLaterVersion: false,
  kind: row.payload.kind,
  state: "queued",
  result: null,
  errorCode: null,
  errorDetail: null,
  fingerprint: null,
  createdAt: new Date(),
  startedAt: null,
  finishedAt: null,
});

/**
 * What became of the request that used the key before; undefined when none has. A command that is still queued is put
 * into the queue once more: its first client may have been answered that the queue was away.
 */
export async function findReplay(
  { database, queues }: Services,
  device: { userId: UserId; shard: number },
  { key, fingerprint }: Idempotency,
): Promise<Dispatched | undefined> {
  const command = await commands.getByIdempotencyKey(database, device.userId, key);
  if (!command) return undefined;
  if (command.fingerprint?.equals(fingerprint) !== true) return { outcome: "mismatch" };
  const { commandId, deviceId } = command;
  if (command.state === "queued") await queues.send(device.shard, { commandId, deviceId });
  return { outcome: "dispatched", command, isReplay: true };
}
