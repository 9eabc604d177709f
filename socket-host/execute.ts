import type { CommandMessage, CommandPayload } from "../shared/commands.ts";
import { ALL_DEVICES, isFinished, isSending } from "../shared/commands.ts";
import * as commands from "../shared/db/commands.ts";
import type { Command } from "../shared/db/commands.ts";
import * as devices from "../shared/db/devices.ts";
import * as jobs from "../shared/db/jobs.ts";
import * as schedules from "../shared/db/schedules.ts";
import type { Database } from "../shared/db/pool.ts";
import type { Log } from "../shared/log.ts";
import type { Storage } from "../shared/storage.ts";
import type { LoadCommand, Loaded } from "./command-loader.ts";
import type { StartSending } from "./command-starter.ts";
import { dailyChats } from "./chat-store/daily-chats.ts";
import { changeMembers } from "./commands/change-members.ts";
import { connect } from "./commands/connect.ts";
import { createGroup } from "./commands/create-group.ts";
import { disconnect } from "./commands/disconnect.ts";
import { listContacts } from "./commands/list-contacts.ts";
import { readChat } from "./commands/read-chat.ts";
import { readChats } from "./commands/read-chats.ts";
import { listGroups, readGroup } from "./commands/read-groups.ts";
import { pairingCode } from "./commands/pairing-code.ts";
import { restore } from "./commands/restore.ts";
import { send, sendAll } from "./commands/send.ts";
import { wipe } from "./commands/wipe.ts";
import type { CommandContext } from "./commands/context.ts";
import { beginCommand } from "./command-step.ts";
import type { CommandStep } from "./command-step.ts";
import { KEPT, STORED } from "./consumer.ts";
import type { Executed, Execution } from "./consumer.ts";
import type { Device } from "./device.ts";
import type { Host } from "./host.ts";

type Context = {
  host: Host;
  database: Database;
  load: LoadCommand;
  start: StartSending;
  media: Storage;
  log: Log;
};

/**
 * Runs the commands that queue messages of one line point to, in their order. Messages to WhatsApp that follow each other
 * go together: they are begun with one statement, and what leaves at once shares an append of the device state.
 */
export async function executeLine(messages: readonly CommandMessage[], context: Context): Promise<Executed[]> {
  const loads = await Promise.allSettled(messages.map((message) => context.load(message)));
  const executed: Executed[] = [];
  let together: { context: CommandContext; step: CommandStep }[] = [];
  const sendTogether = async () => {
    const sent = together.length ? await sendAll(together.map(({ context }) => context)) : [];
    for (const [at, one] of sent.entries()) together[at]?.step.end(one);
    executed.push(...sent);
    together = [];
  };
  for (const [at, message] of messages.entries()) {
    const load = loads[at];
    const sending = load?.status === "fulfilled" ? toSend(message, load.value, context) : undefined;
    if (sending) {
      together.push(sending);
      continue;
    }
    await sendTogether();
    if (load?.status === "fulfilled") executed.push(await attempt(() => execute(message, load.value, context)));
    else executed.push({ error: load?.reason });
  }
  await sendTogether();
  return executed;
}

/** What sends a message, here and now. */
function toSend({ wakesJobs }: CommandMessage, { owned, command }: Loaded, context: Context) {
  if (wakesJobs || !owned || !command?.payload || !isSending(command.payload) || isFinished(command.state))
    return undefined;
  const device = context.host.device(owned);
  if (!device) return undefined;
  const step = beginCommand(command, context.log);
  return { context: toContext(device, step.command, context), step };
}

/**
 * Runs the command that a queue message points to. The row decides: one that is finished is never run again, one that
 * a crash left half-way is run again under the same message id.
 */
async function execute(message: CommandMessage, loaded: Loaded, all: Context): Promise<Execution> {
  const { commandId, deviceId, wakesJobs, wakesSchedules } = message;
  const { host, database } = all;
  if (deviceId === ALL_DEVICES) return await restore(commandId, { database, ...host.services });
  const { owned, command } = loaded;
  if (!owned) {
    await host.close(deviceId);
    await jobs.cancelAll(database, deviceId);
    await schedules.cancelAll(database, deviceId);
    return STORED;
  }
  if (wakesJobs) host.wakeJobs(owned);
  if (wakesSchedules) host.wakeSchedules(owned);
  // It waits for a host of that version, which takes the shard over when this one ends.
  if (command?.isOfLaterVersion) return KEPT;
  if (!command?.payload || isFinished(command.state)) return STORED;
  const device = host.device(owned);
  if (!device) throw new Error(`shard ${owned.shard} is not held any more`);
  const { payload } = command;
  const step = beginCommand(command, all.log);
  const executed = await attempt(() => run(toContext(device, step.command, all), payload, host));
  step.end(executed);
  if ("error" in executed) throw executed.error;
  return executed;
}

async function run(context: CommandContext, payload: CommandPayload, host: Host): Promise<Execution> {
  const { database, device, command } = context;
  const { commandId, deviceId } = command;
  switch (payload.kind) {
    case "connect":
      return await connect(context, payload);
    case "disconnect":
      return await disconnect(context, payload);
    case "forget": {
      await host.close(deviceId);
      await commands.finish(database.pool, commandId, device.epoch, { state: "done", result: { deviceId } });
      return STORED;
    }
    case "read-chat":
      return await readChats(context, (chats) => readChat(device, chats, payload));
    case "daily-chats":
      return await readChats(context, async (chats) => ({ answer: await dailyChats(chats, payload) }));
    case "list-contacts":
      return await readChats(context, async (chats) => listContacts(chats));
    case "list-groups":
      return await readChats(context, () => listGroups(device));
    case "group-info":
      return await readChats(context, () => readGroup(device, payload.group));
    case "create-group":
      return await createGroup(context, payload);
    case "change-members":
      return await changeMembers(context, payload);
    case "wipe":
      return await wipe(context, payload, () => host.close(deviceId));
    case "pairing-code":
      return await pairingCode(context, payload);
    case "restore":
      throw new Error("a restore is about no one device");
    case "send-text":
    case "send-media":
      return await send(context);
  }
}

const toContext = (device: Device, command: Command, { database, start, media, log }: Context): CommandContext => ({
  database,
  start,
  media,
  device,
  command,
  log,
});

async function attempt(run: () => Promise<Execution>): Promise<Executed> {
  try {
    return await run();
  } catch (error) {
    return { error };
  }
}

/** Ends a command that has failed in unforeseen ways again and again. */
export async function giveUp(
  { commandId, deviceId }: CommandMessage,
  { host, database }: Pick<Context, "host" | "database">,
) {
  const owned = await devices.getOwned(database, deviceId);
  const epoch = owned ? (host.device(owned)?.epoch ?? 0) : 0;
  const command = await commands.get(database, commandId);
  // What was promised to be deleted is not left lying, however long the store is away. Nothing waits behind it.
  if (command?.kind === "wipe" && owned) throw new Error("a wipe is not given up");
  const outcome = { state: "failed", errorCode: "internal" } as const;
  if (deviceId === ALL_DEVICES) await commands.finishAlone(database, commandId, outcome);
  else await commands.finish(database.pool, commandId, epoch, outcome);
}
