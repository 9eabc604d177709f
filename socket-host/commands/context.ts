import type { Command } from "../../shared/db/commands.ts";
import type { Database } from "../../shared/db/pool.ts";
import type { Log } from "../../shared/log.ts";
import type { Storage } from "../../shared/storage.ts";
import type { StartSending } from "../command-starter.ts";
import type { Device } from "../device.ts";

/**
 * What a command handler works with. It writes under `device.epoch`, which may rise while the device is loaded; `media`
 * holds answers with content.
 */
export type CommandContext = {
  database: Database;
  start: StartSending;
  media: Storage;
  device: Device;
  command: Command;
  log: Log;
};
