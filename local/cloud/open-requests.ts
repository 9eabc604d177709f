import type { ServerResponse } from "node:http";

/** Requests that are still under way this long after the end has begun are cut off. */
const FINISH_WITHIN_MS = 5_000;

/** The requests that are under way, so that the end can wait for them. */
export class OpenRequests {
  readonly #open = new Map<ServerResponse, AbortController>();
  #ending = false;
  #onEmpty: () => void = () => undefined;

  /** A signal that is given when the client hangs up, the answer is complete, or the end begins; none after that. */
  add(response: ServerResponse): AbortSignal | undefined {
    if (this.#ending) return undefined;
    const controller = new AbortController();
    this.#open.set(response, controller);
    response.once("close", () => {
      this.#open.delete(response);
      // With a reason of our own: without one, an error with a stack trace is made for each request.
      controller.abort("closed");
      if (this.#open.size === 0) this.#onEmpty();
    });
    return controller.signal;
  }

  /** Takes no more requests, and resolves when there are none under way or their time is over. */
  async end(): Promise<void> {
    this.#ending = true;
    for (const controller of this.#open.values()) controller.abort("ending");
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FINISH_WITHIN_MS);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
