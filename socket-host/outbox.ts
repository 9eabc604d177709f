import { SpanKind } from "@opentelemetry/api";
import type { DeviceId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import type { DeviceHistory } from "./device-history.ts";
import { beginStep, traceIdOf } from "../shared/trace.ts";
import type { Step } from "../shared/trace.ts";
import type { DeviceState } from "./device-state/state.ts";
import { metrics } from "./metrics.ts";
import type { RecordOutcome } from "./outcome-recorder.ts";
import { MediaMissingError } from "./media/media-missing-error.ts";
import { reachedBy } from "./reached-by.ts";
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
/** What has no answer on a connection that goes on is sent again after so long, then after twice that, … */
const FIRST_AGAIN_MS = 30_000;
const LONGEST_AGAIN_MS = 600_000;

/** Who keeps what is sent, as messages of their chats. */
export type SentMessages = {
  /** About to leave: what this writes to the device state is in the append that the message waits for. */
  sending: (message: { messageId: string; to: string; bytes: Buffer; at: number }) => void;
  /** How far they have got; it may be told late, and again. */
  advance: (messageIds: readonly string[], status: "failed" | "sent" | "delivered" | "read") => void;
};

type Pending = {
  message: Outgoing;
  socket: Socket;
  /** How often it was sent before on this connection. */
  repeats: number;
  /** Until the acknowledgement. */
  step: Step;
  settled: Promise<void>;
  settle: (outcome: "accepted" | "refused" | "unknown") => void;
  timer: NodeJS.Timeout;
};
type Options = {
  record: RecordOutcome;
  deviceId: DeviceId;
  epoch: number;
  state: DeviceState<Credentials>;
  /** Everything that asks for messages of this device. */
  ledgers: readonly SendLedger[];
  chats: SentMessages;
  /** Rows of messages in MySQL. */
  history: Pick<DeviceHistory, "own">;
  log: Log;
};

/**
 * The messages of one device that are on their way: from the row that asks for one to the server's acknowledgement and
 * that row again. The encoded message and the ratchet step that encrypts it become durable in one append, before a byte
 * leaves; whatever has no outcome is sent again under the same id, now and then and after the next login.
 */
export class Outbox {
  readonly #options: Options;
  readonly #pending = new Map<string, Pending>();
  /** Until they are sent again. */
  readonly #unanswered = new Set<NodeJS.Timeout>();
  #connectionsLost = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Sends, once. Resolves when the bytes were handed to the socket; `finished` when the outcome is in the ledger (or
   * is unknown, and will be asked for by sending again).
   */
  async send(socket: Socket, message: Outgoing, repeats = 0): Promise<{ finished: Promise<void> }> {
    const { messageId, to } = message;
    const running = this.#pending.get(messageId);
    if (running) return { finished: running.settled };
    const { state, chats, log } = this.#options;
    const connection = this.#connectionsLost;
    const finished = this.#expectAck(message, socket, repeats);
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
      if (err instanceof MediaMissingError) {
        // Not encoded, so never sent, and it never will be.
        await this.onAck(messageId, { errorCode: "media_not_found" });
        return { finished };
      }
      // Whether a byte has left cannot be known here: it is sent again.
      log.warn({ err, messageId }, "message not handed over");
      await this.#settleUnknown(messageId, connection === this.#connectionsLost);
    }
    return { finished };
  }

  /** WhatsApp's server has taken the message, or refused it. It may come late. */
  async onAck(messageId: string, refusal: Refusal | undefined): Promise<void> {
    const { deviceId, epoch, record, state, chats, history, log } = this.#options;
    // It stays pending until the outcome is recorded: whoever looks meanwhile must not take it for unanswered.
    const pending = this.#pending.get(messageId);
    clearTimeout(pending?.timer);
    const to = refusal && state.getOutbox(messageId)?.to;
    if (to && !state.failed) forgetRecipient(state, to);
    const row = pending && { ...pending.message, trace: pending.step.trace };
    const asked = row && {
      messageId: row.messageId,
      to: row.to,
      origin: row.origin,
      trace: row.trace,
      book: row.ledger.book,
    };
    const kept = refusal ? undefined : await history.own();
    try {
      await record({ kind: "ack", deviceId, epoch, messageId, asked, refusal, kept });
    } catch (err) {
      log.error({ err, deviceId, messageId }, "outcome of a message not recorded");
      // The server says it once. Until the connection ends, when the next login asks again, it is kept here.
      if (pending) pending.timer = setTimeout(() => void this.onAck(messageId, refusal), RETRY_MS);
      return;
    }
    chats.advance([messageId], refusal ? "failed" : "sent");
    const traceId = traceIdOf(row?.trace);
    log.info({ traceId, deviceId, messageId, errorCode: refusal?.errorCode }, "message answered");
    this.#take(messageId)?.settle(refusal ? "refused" : "accepted");
  }

  /**
   * Recipients have these messages; so the server has taken them, whether or not its acknowledgement was seen. May be
   * told again. Rejects when it could not be recorded.
   */
  async recordReceipt(receipt: Receipt): Promise<void> {
    const { deviceId, epoch, record, chats, history } = this.#options;
    await record({ kind: "receipt", deviceId, epoch, receipt, kept: await history.own() });
    chats.advance(receipt.messageIds, reachedBy(receipt.status));
    for (const messageId of receipt.messageIds) this.#take(messageId)?.settle("accepted");
  }

  /**
   * To be awaited before the first message of a life: what an earlier one has sent to a group without an answer may be
   * lost, with the sender key that it carried, and a new message may come before it is sent again. Answers what that is.
   */
  async prepare(): Promise<Outgoing[]> {
    const unresolved = await this.listUnresolved();
    for (const to of new Set(unresolved.map((message) => message.to))) redistributeSenderKey(this.#options.state, to);
    return unresolved;
  }

  /** The connection is gone: nothing that waits will be answered on it. */
  async onConnectionLost(): Promise<void> {
    this.#connectionsLost += 1;
    for (const timer of this.#unanswered) clearTimeout(timer);
    this.#unanswered.clear();
    await Promise.all([...this.#pending.keys()].map((messageId) => this.#settleUnknown(messageId, false)));
  }

  /** Messages without an outcome, oldest first in each ledger: what a login has to send again. */
  async listUnresolved(): Promise<Outgoing[]> {
    return (await Promise.all(this.#options.ledgers.map((ledger) => ledger.listUnresolved()))).flat();
  }

  /** Whether a message that was listed has no outcome still: it may have been sent in the ordinary way meanwhile. */
  async isUnresolved(message: Outgoing): Promise<boolean> {
    return !this.#pending.has(message.messageId) && (await message.ledger.start(message));
  }

  #expectAck(message: Outgoing, socket: Socket, repeats: number): Promise<void> {
    const { messageId } = message;
    const startedAt = performance.now();
    const step = beginStep("send to WhatsApp", SpanKind.CLIENT, message.trace);
    let settle: Pending["settle"] = () => {};
    const settled = new Promise<void>((resolve) => {
      settle = (outcome) => {
        step.end({ failed: outcome !== "accepted" });
        metrics.messageAnswered(outcome, performance.now() - startedAt);
        resolve();
      };
    });
    const timer = setTimeout(() => void this.#settleUnknown(messageId, true), ACK_WAIT_MS);
    this.#pending.set(messageId, { message, socket, repeats, step, settled, settle, timer });
    return settled;
  }

  #take(messageId: string): Pending | undefined {
    const pending = this.#pending.get(messageId);
    clearTimeout(pending?.timer);
    this.#pending.delete(messageId);
    return pending;
  }

  /** @param goesOn whether the connection does: what is not answered on it is sent on it again */
  async #settleUnknown(messageId: string, goesOn: boolean): Promise<void> {
    const pending = this.#take(messageId);
    if (!pending) return;
    const { message, settle } = pending;
    const { state } = this.#options;
    if (goesOn) this.#sendAgainLater(pending);
    if (!state.failed) redistributeSenderKey(state, message.to);
    await message.ledger
      .markUnknown(message)
      .catch((err: unknown) => this.#options.log.error({ err, messageId }, "unknown outcome not recorded"));
    settle("unknown");
  }

  #sendAgainLater({ message, socket, repeats }: Pending): void {
    const timer = setTimeout(
      () => {
        this.#unanswered.delete(timer);
        void this.#sendAgain(socket, message, repeats + 1);
      },
      Math.min(LONGEST_AGAIN_MS, FIRST_AGAIN_MS * 2 ** repeats),
    );
    this.#unanswered.add(timer);
  }

  async #sendAgain(socket: Socket, message: Outgoing, repeats: number): Promise<void> {
    const { messageId } = message;
    const connection = this.#connectionsLost;
    try {
      const isOpen = await this.isUnresolved(message);
      if (isOpen && connection === this.#connectionsLost) await this.send(socket, message, repeats);
    } catch (err) {
      this.#options.log.warn({ err, messageId }, "message not sent again");
    }
  }
}
