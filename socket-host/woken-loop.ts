type Options = {
  /** Does what is to be done next. False: there is nothing, or not here. */
  step: () => Promise<boolean>;
  onError: (err: unknown) => void;
};

const RETRY_MS = 1_000;

/** Steps one after the other for as long as there is something to do; then it rests until it is woken. */
export class WokenLoop {
  readonly #options: Options;
  #isRunning = false;
  #isStopped = false;
  #wasWoken = false;
  #endSleep: () => void = () => undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  get isStopped() {
    return this.#isStopped;
  }

  /** There may be something to do. Ends a `sleep`. */
  wake(): void {
    this.#wasWoken = true;
    this.#endSleep();
    if (!this.#isRunning) void this.#run();
  }

  /** Begins no further step. */
  stop(): void {
    this.#isStopped = true;
    this.#endSleep();
  }

  /** For the step at hand. */
  async sleep(delayMs: number): Promise<void> {
    if (this.#isStopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#endSleep = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #run(): Promise<void> {
    const { step, onError } = this.#options;
    this.#isRunning = true;
    while (this.#wasWoken && !this.#isStopped) {
      this.#wasWoken = false;
      try {
        while (!this.#isStopped && (await step()));
      } catch (err) {
        onError(err);
        await this.sleep(RETRY_MS);
        this.#wasWoken = true;
      }
    }
    this.#isRunning = false;
  }
}
