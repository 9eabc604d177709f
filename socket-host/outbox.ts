import type { DeviceId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import type { DeviceState } from "./device-state/state.ts";
import { reachedBy } from "./outcome-recorder.ts";
import type { RecordOutcome } from "./outcome-recorder.ts";
import type { Outgoing, SendLedger } from "./send-ledger.ts";
import type { Refusal } from "./refusal.ts";
import { breathe } from "./whatsapp/breathe.ts";
import type { Credentials } from "./whatsapp/credentials.ts";
import { forgetRecipient, redistributeSenderKey } from "./whatsapp/recipient-memory.ts";
import type { Receipt } from "./whatsapp/decode/receipt.ts";
import type { Socket } from "./whatsapp/socket.ts";

/** How long the server's acknowledgement may take before the outcome is called unknown. */
const ACK_WAIT_MS = 20_000;
const RETRY_MS = 1_000;

/** Who keeps what is sent, as messages of their chats. */
export type SentMessages = {
  /** About to leave: what this writes to the device state is in the append that the message waits for. */
  sending: (message: { messageId: string; to: string; bytes: Buffer; at: number }) => void;
  /** How far they have got; it may be told late, and again. */
  advance: (messageIds: readonly string[], status: "failed" | "sent" | "delivered" | "read") => void;
};

type Pending = { message: Outgoing; settled: Promise<void>; settle: () => void; timer: NodeJS.Timeout };
type Options = {
  record: RecordOutcome;
  deviceId: DeviceId;
  epoch: number;
  state: DeviceState<Credentials>;
  /** Everything that asks for messages of this device. */
  ledgers: readonly SendLedger[];
  chats: SentMessages;
  log: Log;
};

/**
 * The messages of one device that are on their way: from the row that asks for one to the server's acknowledgement and
 * that row again. The encoded message and the ratchet step that encrypts it become durable in one append, before a byte
 * leaves; whatever has no outcome is sent again under the same id after the next login.
 */
export class Outbox {
  readonly #options: Options;
  readonly #pending = new Map<string, Pending>();

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Sends, once. Resolves when the bytes were handed to the socket; `finished` when the outcome is in the ledger (or
   * is unknown, and will be asked for by sending again).
   */
  async send(socket: Socket, message: Outgoing): Promise<{ finished: Promise<void> }> {
    const { messageId, to } = message;
    const running = this.#pending.get(messageId);
    if (running) return { finished: running.settled };
    const { state, chats, log } = this.#options;
    const finished = this.#expectAck(message);
    try {
      const kept = state.getOutbox(messageId);
      const bytes = kept?.bytes ?? (await socket.encode(message.content));
      // Never inside: the message and the ratchet step that encrypts it belong into one append.
      await breathe();
      const at = Date.now();
      state.putOutbox(messageId, { to, bytes, at });
      chats.sending({ messageId, to, bytes, at });
      await socket.relay(to, messageId, bytes);
    } catch (err) {
      // Whether a byte has left cannot be known here: the next login sends it again.
      log.warn({ err, messageId }, "message not handed over");
      await this.#settleUnknown(messageId);
    }
    return { finished };
  }

  /** WhatsApp's server has taken the message, or refused it. It may come late. */
  async onAck(messageId: string, refusal: Refusal | undefined): Promise<void> {
    const { deviceId, epoch, record, state, chats, log } = this.#options;
    // It stays pending until the outcome is recorded: whoever looks meanwhile must not take it for unanswered.
    const pending = this.#pending.get(messageId);
    clearTimeout(pending?.timer);
    const to = refusal && state.getOutbox(messageId)?.to;
    if (to && !state.failed) forgetRecipient(state, to);
    const row = pending?.message;
    const asked = row && { messageId: row.messageId, to: row.to, origin: row.origin, book: row.ledger.book };
    try {
      await record({ kind: "ack", deviceId, epoch, messageId, asked, refusal });
    } catch (err) {
      log.error({ err, deviceId, messageId }, "outcome of a message not recorded");
      // The server says it once. Until the connection ends, when the next login asks again, it is kept here.
      if (pending) pending.timer = setTimeout(() => void this.onAck(messageId, refusal), RETRY_MS);
      return;
    }
    chats.advance([messageId], refusal ? "failed" : "sent");
    this.#take(messageId)?.settle();
  }

  /**
   * As `send`, for what was sent before and has no answer. The stanza that was lost may have carried the group's sender
   * key, so this one does.
   */
  async resend(socket: Socket, message: Outgoing): Promise<{ finished: Promise<void> }> {
    redistributeSenderKey(this.#options.state, message.to);
    return await this.send(socket, message);
  }

  /**
   * Recipients have these messages; so the server has taken them, whether or not its acknowledgement was seen. May be
   * told again. Rejects when it could not be recorded.
   */
  async recordReceipt(receipt: Receipt): Promise<void> {
    const { deviceId, epoch, record, chats } = this.#options;
    await record({ kind: "receipt", deviceId, epoch, receipt });
    chats.advance(receipt.messageIds, reachedBy(receipt.status));
    for (const messageId of receipt.messageIds) this.#take(messageId)?.settle();
  }

  /** The connection is gone: nothing that waits will be answered on it. */
  async onConnectionLost(): Promise<void> {
    await Promise.all([...this.#pending.keys()].map((messageId) => this.#settleUnknown(messageId)));
  }

  /** Messages without an outcome, oldest first in each ledger: what a login has to send again. */
  async listUnresolved(): Promise<Outgoing[]> {
    return (await Promise.all(this.#options.ledgers.map((ledger) => ledger.listUnresolved()))).flat();
  }

  /** Whether a message that was listed has no outcome still: it may have been sent in the ordinary way meanwhile. */
  async isUnresolved(message: Outgoing): Promise<boolean> {
    return !this.#pending.has(message.messageId) && (await message.ledger.start(message));
  }

  #expectAck(message: Outgoing): Promise<void> {
    const { messageId } = message;
    let settle = () => {};
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const timer = setTimeout(() => void this.#settleUnknown(messageId), ACK_WAIT_MS);
    this.#pending.set(messageId, { message, settled, settle, timer });
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
    const { message, settle } = pending;
    await message.ledger
      .markUnknown(message)
      .catch((err: unknown) => this.#options.log.error({ err, messageId }, "unknown outcome not recorded"));
    settle();
  }
}
