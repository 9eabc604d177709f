import type { Command } from "../../shared/db/commands.ts";
import type { Database } from "../../shared/db/pool.ts";
import type { Log } from "../../shared/log.ts";
import type { Device } from "../device.ts";

/** What a command handler works with. `epoch` is that of the lease under which it runs. */
export type CommandContext = { database: Database; device: Device; command: Command; epoch: number; log: Log };
