import * as rows from "../../shared/db/received-media.ts";
import type { PendingMedia } from "../../shared/db/received-media.ts";
import type { OwnedDevice } from "../../shared/db/devices.ts";
import type { Database, Runner } from "../../shared/db/pool.ts";
import type { Log } from "../../shared/log.ts";
import { receivedObject } from "../../shared/media.ts";
import { Scratch } from "../../shared/scratch.ts";
import type { StoredMessage } from "../chat-store/stored-message.ts";
import type { IncomingMessage } from "../whatsapp/decode/incoming-message.ts";
import { attachedFile, download } from "../whatsapp/media-download.ts";
import type { Downloaded } from "../whatsapp/media-download.ts";
import type { Socket } from "../whatsapp/socket.ts";
import { WokenLoop } from "../woken-loop.ts";
import type { HostMedia } from "./host-media.ts";

type Options = {
  owned: OwnedDevice;
  epoch: number;
  database: Database;
  media: HostMedia;
  /** Where a simulator's media are, see `WhatsAppConfig.mediaOrigin`. */
  origin: string | undefined;
  findMessage: (messageId: string) => Promise<StoredMessage | undefined>;
  log: Log;
};

/** More than WhatsApp lets people send as an image or a video, and most of what they send as a document. */
const MAX_RECEIVED_BYTES = 100 * 1024 * 1024;
const AT_ONCE = 4;
/** Pauses between tries; after the last one it is given up. */
const RETRY_MS = [2_000, 10_000, 60_000, 300_000, 900_000];
/** A file that only the phone can bring back waits for a connection. */
const NO_SOCKET_MS = 30_000;
const LONGEST_SLEEP_MS = 60_000;
const MIMETYPE = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/;

/**
 * Brings the files of what comes in into the media bucket, beside the messages and after them: nothing waits for it. What
 * is still to be had are rows, so a crash or another host goes on with them.
 */
export class ReceivedMedia {
  readonly #options: Options;
  readonly #loop: WokenLoop;
  readonly #closing = new AbortController();
  #work: Promise<unknown> = Promise.resolve();
  #socket: Socket | undefined;

  constructor(options: Options) {
    this.#options = options;
    const { log, owned } = options;
    const onError = (err: unknown) => log.warn({ err, deviceId: owned.deviceId }, "files of messages not fetched");
    this.#loop = new WokenLoop({ step: () => this.#step(), onError });
  }

  /** In the transaction that commits the messages' events. */
  async record(runner: Runner, messages: readonly IncomingMessage[]): Promise<void> {
    const withFile = messages.filter(({ content }) => "media" in content).map(({ messageId }) => messageId);
    await rows.record(runner, this.#options.owned, withFile);
  }

  /** There are new messages, and what is needed of them is in the chat store. */
  wake(messages: readonly IncomingMessage[]): void {
    if (messages.some(({ content }) => "media" in content)) this.#loop.wake();
  }

  /** A connection is open: the phone can be asked for what has gone. Goes on with what an earlier life has left. */
  onOpen(socket: Socket): void {
    this.#socket = socket;
    this.#loop.wake();
  }

  onConnectionLost(): void {
    this.#socket = undefined;
  }

  async close(): Promise<void> {
    this.#loop.stop();
    this.#closing.abort();
    await this.#work;
  }

  async #step(): Promise<boolean> {
    const { database, owned } = this.#options;
    const pending = await rows.listPending(database, owned, AT_ONCE);
    const due = pending.filter(({ dueInMs }) => dueInMs <= 0);
    const [first] = pending;
    if (!first) return false;
    if (!due.length) {
      await this.#loop.sleep(Math.min(LONGEST_SLEEP_MS, first.dueInMs));
      return true;
    }
    const work = Promise.allSettled(due.map((one) => this.#take(one)));
    this.#work = work;
    const failed = (await work).find((outcome) => outcome.status === "rejected");
    if (failed && !this.#closing.signal.aborted) throw failed.reason;
    return true;
  }

  async #take({ messageId, attempts }: PendingMedia): Promise<void> {
    const { database, owned, epoch, media, findMessage, log } = this.#options;
    const row = { ...owned, messageId, epoch };
    const message = await findMessage(messageId);
    const scratch = new Scratch();
    try {
      const got = await media.received.run(() => this.#fetch(message, scratch));
      if (got.outcome === "later") return await rows.postpone(database, row, NO_SOCKET_MS, false);
      const delayMs = RETRY_MS[attempts];
      if (got.outcome === "unreachable" && delayMs !== undefined)
        return await rows.postpone(database, row, delayMs, true);
      if (got.outcome !== "done") return await rows.finish(database, row, { state: "failed", reason: got.outcome });
      const { file, about } = got;
      await media.files.put(receivedObject(owned, messageId), file, about);
      await rows.finish(database, row, { state: "ready", sizeBytes: file.sizeBytes, mimetype: about.mimetype });
    } catch (err) {
      if (this.#closing.signal.aborted) return;
      log.warn({ err, messageId }, "file of a message not kept");
      await rows.postpone(database, row, RETRY_MS[attempts] ?? LONGEST_SLEEP_MS, attempts < RETRY_MS.length);
    } finally {
      await scratch.dispose();
    }
  }

  async #fetch(message: StoredMessage | undefined, scratch: Scratch) {
    const { origin } = this.#options;
    const bytes = message?.raw === undefined ? undefined : Buffer.from(message.raw, "base64");
    const file = bytes && attachedFile(bytes, origin);
    if (!message || !file) return { outcome: "unreadable" as const };
    if (file.sizeBytes > MAX_RECEIVED_BYTES) return { outcome: "too_large" as const };
    const mimetype = file.mimetype.split(";")[0]?.trim() ?? "";
    const about = {
      mimetype: MIMETYPE.test(mimetype) ? mimetype : "application/octet-stream",
      fileName: file.fileName?.slice(0, 255),
    };
    const first = await download(file, scratch, MAX_RECEIVED_BYTES, this.#closing.signal);
    if (first.outcome !== "gone") return { ...first, about };
    const again = await this.#askPhone(message, bytes, scratch);
    return { ...again, about };
  }

  /** The server has it no more: the phone that has the message uploads it once more. */
  async #askPhone(message: StoredMessage, bytes: Buffer, scratch: Scratch): Promise<Downloaded | { outcome: "later" }> {
    if (!this.#socket) return { outcome: "later" };
    const renewed = await this.#socket.renewMedia(message, bytes);
    const file = renewed && attachedFile(renewed, this.#options.origin);
    if (!file) return { outcome: "gone" };
    return await download(file, scratch, MAX_RECEIVED_BYTES, this.#closing.signal);
  }
}
