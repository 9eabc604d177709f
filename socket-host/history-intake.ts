import { setTimeout as pause } from "node:timers/promises";
import type { Log } from "../shared/log.ts";
import type { ChatStore } from "./chat-store/chat-store.ts";
import type { HistoryChunk } from "./whatsapp/decode/history-chunk.ts";

type Options = { store: ChatStore; log: Log };

/** After linking the phone gives its history in pieces; one that is silent so long gives no more. */
const SILENCE_MS = 20_000;
const COMPLETE = 100;
/** So many questions to the phone may be open at a time. */
const MAX_REQUESTS = 4;
const ATTEMPTS = 5;
const RETRY_MS = 2_000;

/** The history that the phone gives: at linking without being asked, later on request. */
export class HistoryIntake {
  /** Told of each piece that has become durable. */
  readonly onStored = new Set<(chunk: HistoryChunk) => void>();
  readonly #options: Options;
  #expectedUntil = 0;
  #requests = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** A phone has just been linked: it will give its history. */
  expect(): void {
    this.#expectedUntil = Date.now() + SILENCE_MS;
  }

  /** Stores a piece. Tries again for a while when the store fails; then it is lost to this life of the device. */
  async take(chunk: HistoryChunk): Promise<void> {
    const { store, log } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        await store.import(chunk.history);
        break;
      } catch (err) {
        log.warn({ err, syncType: chunk.syncType, attempt }, "history not stored");
        if (attempt === ATTEMPTS) return;
        await pause(RETRY_MS);
      }
    }
    if (!chunk.isOnDemand) this.#expectedUntil = chunk.progress < COMPLETE ? Date.now() + SILENCE_MS : 0;
    for (const tell of this.onStored) tell(chunk);
  }

  /** Resolves when the history that comes at linking is stored as far as it comes, or the time is up. */
  async whenComplete(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const until = Math.min(deadline, this.#expectedUntil);
      if (until <= Date.now()) return;
      await this.#next(() => true, until - Date.now());
    }
  }

  /**
   * Asks the phone by `send`, which answers the request's id, and waits until its answer is stored.
   * @returns how many messages it gave; undefined when it did not answer in time, or too many wait already
   */
  async ask(send: () => Promise<string>, timeoutMs: number): Promise<number | undefined> {
    if (this.#requests >= MAX_REQUESTS) return undefined;
    this.#requests += 1;
    // The answer may be here before the request is known to be sent.
    const early = new Map<string, HistoryChunk>();
    const collect = (chunk: HistoryChunk) => void (chunk.requestId && early.set(chunk.requestId, chunk));
    this.onStored.add(collect);
    try {
      const requestId = await send();
      const answer = early.get(requestId) ?? (await this.#next((chunk) => chunk.requestId === requestId, timeoutMs));
      return answer && [...answer.history.chats].reduce((count, { messages }) => count + messages.length, 0);
    } finally {
      this.onStored.delete(collect);
      this.#requests -= 1;
    }
  }

  #next(fits: (chunk: HistoryChunk) => boolean, timeoutMs: number): Promise<HistoryChunk | undefined> {
    return new Promise((resolve) => {
      const end = (chunk: HistoryChunk | undefined) => {
        clearTimeout(timer);
        this.onStored.delete(listen);
        resolve(chunk);
      };
      const listen = (chunk: HistoryChunk) => (fits(chunk) ? end(chunk) : undefined);
      const timer = setTimeout(() => end(undefined), timeoutMs);
      this.onStored.add(listen);
    });
  }
}
