import type { CommandMessage } from "../shared/commands.ts";
import { ALL_DEVICES, isFinished } from "../shared/commands.ts";
import * as commands from "../shared/db/commands.ts";
import * as devices from "../shared/db/devices.ts";
import * as jobs from "../shared/db/jobs.ts";
import type { Database } from "../shared/db/pool.ts";
import type { Log } from "../shared/log.ts";
import type { Storage } from "../shared/storage.ts";
import type { LoadCommand } from "./command-loader.ts";
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
import { send } from "./commands/send.ts";
import { wipe } from "./commands/wipe.ts";
import { STORED } from "./consumer.ts";
import type { Execution } from "./consumer.ts";
import type { Host } from "./host.ts";

type Context = { host: Host; database: Database; load: LoadCommand; media: Storage; log: Log };

/**
 * Runs the command that a queue message points to. The row decides: one that is finished is never run again, one that
 * a crash left half-way is run again under the same message id.
 */
export async function execute(
  message: CommandMessage,
  { host, database, load, media, log }: Context,
): Promise<Execution> {
  const { commandId, deviceId, wakesJobs } = message;
  if (deviceId === ALL_DEVICES) return await restore(commandId, { database, ...host.services });
  const { owned, command } = await load(message);
  if (!owned) {
    await host.close(deviceId);
    await jobs.cancelAll(database, deviceId);
    return STORED;
  }
  if (wakesJobs) {
    host.wakeJobs(owned);
    return STORED;
  }
  if (!command?.payload || isFinished(command.state)) return STORED;
  const device = host.device(owned);
  if (!device) throw new Error(`shard ${owned.shard} is not held any more`);
  const context = { database, media, device, command, log };
  const { payload } = command;
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
      return await send(context, payload);
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
