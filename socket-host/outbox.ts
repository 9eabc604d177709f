import * as commands from "../shared/db/commands.ts";
import type { Command } from "../shared/db/commands.ts";
import * as devices from "../shared/db/devices.ts";
import * as events from "../shared/db/events.ts";
import { transaction } from "../shared/db/pool.ts";
import type { Database, Runner } from "../shared/db/pool.ts";
import type { CommandId, DeviceId, MessageId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import type { DeviceState } from "./device-state/state.ts";
import { breathe } from "./whatsapp/breathe.ts";
import type { Credentials } from "./whatsapp/credentials.ts";
import type { Receipt, Socket } from "./whatsapp/socket.ts";

/** A message to send: its id is derived from the command, so that every attempt is the same message. */
export type Outgoing = { commandId: CommandId; messageId: MessageId; to: string; text: string };

/** How long the server's acknowledgement may take before the outcome is called unknown. */
const ACK_WAIT_MS = 20_000;
const RETRY_MS = 1_000;

type Pending = { commandId: CommandId; to: string; settled: Promise<void>; settle: () => void; timer: NodeJS.Timeout };
type Options = { database: Database; deviceId: DeviceId; epoch: number; state: DeviceState<Credentials>; log: Log };

/**
 * The messages of one device that are on their way: from the command to the server's acknowledgement and the row that
 * says so. The encoded message and the ratchet step that encrypts it become durable in one append, before a byte
 * leaves; whatever has no outcome is sent again under the same id after the next login.
 */
export class Outbox {
  readonly #options: Options;
  readonly #pending = new Map<string, Pending>();

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Sends, once. Resolves when the bytes were handed to the socket; `finished` when the outcome is in the command's row
   * (or is unknown, and will be asked for by sending again).
   */
  async send(socket: Socket, message: Outgoing): Promise<{ finished: Promise<void> }> {
    const { commandId, messageId, to } = message;
    const running = this.#pending.get(messageId);
    if (running) return { finished: running.settled };
    const { state, log } = this.#options;
    const finished = this.#expectAck(message);
    try {
      const kept = state.getOutbox(messageId);
      const bytes = kept?.bytes ?? (await socket.encodeText(message.text));
      // Never inside: the message and the ratchet step that encrypts it belong into one append.
      await breathe();
      state.putOutbox(messageId, { to, bytes, at: Date.now() });
      await socket.relay(to, messageId, bytes);
    } catch (err) {
      // Whether a byte has left cannot be known here: the next login sends it again.
      log.warn({ err, commandId }, "message not handed over");
      await this.#settleUnknown(messageId);
    }
    return { finished };
  }

  /** WhatsApp's server has taken the message (`errorCode` undefined) or refused it. It may come late. */
  async onAck(messageId: string, errorCode: string | undefined): Promise<void> {
    const { database, deviceId, log } = this.#options;
    // It stays pending until the outcome is recorded: whoever looks meanwhile must not take it for unanswered.
    const pending = this.#pending.get(messageId);
    clearTimeout(pending?.timer);
    try {
      await transaction(database, async (runner) => {
        const sent = pending ?? (await this.#openCommand(runner, messageId));
        if (!sent) return;
        await (errorCode === undefined
          ? this.#recordAccepted(runner, sent.commandId, messageId, sent.to)
          : this.#recordRefused(runner, sent.commandId, errorCode));
      });
    } catch (err) {
      log.error({ err, deviceId, messageId }, "outcome of a message not recorded");
      // The server says it once. Until the connection ends, when the next login asks again, it is kept here.
      if (pending) pending.timer = setTimeout(() => void this.onAck(messageId, errorCode), RETRY_MS);
      return;
    }
    this.#take(messageId)?.settle();
  }

  /**
   * Recipients have these messages; so the server has taken them, whether or not its acknowledgement was seen. May be
   * told again. Rejects when it could not be recorded.
   */
  async recordReceipt({ chat, messageIds, status }: Receipt): Promise<void> {
    const { database, deviceId, epoch } = this.#options;
    await transaction(database, async (runner) => {
      // First the device, then its commands, as every other transaction: two that lock crosswise would block each other.
      if (!(await devices.lock(runner, deviceId, epoch))) return;
      for (const command of await commands.listByMessageId(runner, deviceId, messageIds)) {
        const { commandId, messageId, payload } = command;
        if (!messageId) continue;
        if (payload?.kind === "send-text") await this.#recordAccepted(runner, commandId, messageId, payload.to);
        if (!(await commands.markReceived(runner, commandId, epoch, status))) continue;
        const data = { messageId, chat, status };
        const dedupeKey = `status|${messageId}|${status}`;
        await events.append(runner, deviceId, epoch, [
          { type: "message.status", data, dedupeKey, occurredAt: new Date() },
        ]);
      }
    });
    for (const messageId of messageIds) this.#take(messageId)?.settle();
  }

  /** The connection is gone: nothing that waits will be answered on it. */
  async onConnectionLost(): Promise<void> {
    await Promise.all([...this.#pending.keys()].map((messageId) => this.#settleUnknown(messageId)));
  }

  /** Messages without an outcome, oldest first: what a login has to send again. */
  async listUnresolved(): Promise<Outgoing[]> {
    const { database, deviceId } = this.#options;
    const open = await commands.listOpenMessages(database, deviceId);
    return open.flatMap((command) => toOutgoing(command) ?? []);
  }

  /** Whether a message that was listed has no outcome still: it may have been sent in the ordinary way meanwhile. */
  async isUnresolved({ commandId, messageId }: Outgoing): Promise<boolean> {
    const { database, epoch } = this.#options;
    return !this.#pending.has(messageId) && (await commands.start(database, commandId, epoch, "sending"));
  }

  #expectAck({ commandId, messageId, to }: Outgoing): Promise<void> {
    let settle = () => {};
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const timer = setTimeout(() => void this.#settleUnknown(messageId), ACK_WAIT_MS);
    this.#pending.set(messageId, { commandId, to, settled, settle, timer });
    return settled;
  }

  #take(messageId: string): Pending | undefined {
    const pending = this.#pending.get(messageId);
    clearTimeout(pending?.timer);
    this.#pending.delete(messageId);
    return pending;
  }

  async #settleUnknown(messageId: string): Promise<void> {
    const pending = this.#take(messageId);
    if (!pending) return;
    const { database, epoch, log } = this.#options;
    await commands
      .markUnknown(database, pending.commandId, epoch)
      .catch((err: unknown) => log.error({ err, messageId }, "unknown outcome not recorded"));
    pending.settle();
  }

  async #openCommand(runner: Runner, messageId: string): Promise<{ commandId: CommandId; to: string } | undefined> {
    const [command] = await commands.listByMessageId(runner, this.#options.deviceId, [messageId]);
    const { commandId, payload } = command ?? {};
    return commandId && payload?.kind === "send-text" ? { commandId, to: payload.to } : undefined;
  }

  async #recordAccepted(runner: Runner, commandId: CommandId, messageId: string, to: string): Promise<void> {
    const { deviceId, epoch } = this.#options;
    const occurredAt = new Date();
    const result = { deviceId, messageId, timestamp: occurredAt.toISOString(), to };
    const data = { commandId, messageId, to };
    const dedupeKey = `sent|${messageId}`;
    const recorded = await events.append(runner, deviceId, epoch, [
      { type: "message.sent", data, dedupeKey, occurredAt },
    ]);
    if (recorded !== "fenced") await commands.finish(runner, commandId, epoch, { state: "accepted", result });
  }

  async #recordRefused(runner: Runner, commandId: CommandId, code: string): Promise<void> {
    const outcome = { state: "failed", errorCode: "refused_by_whatsapp", errorDetail: code } as const;
    await commands.finish(runner, commandId, this.#options.epoch, outcome);
  }
}

/** Undefined for a command that sends no text or is finished. */
export function toOutgoing({ commandId, messageId, payload }: Command): Outgoing | undefined {
  if (!messageId || payload?.kind !== "send-text") return undefined;
  return { commandId, messageId, to: payload.to, text: payload.text };
}
