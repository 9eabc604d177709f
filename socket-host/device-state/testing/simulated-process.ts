import type { VirtualTime } from "./virtual-time.ts";

const LONGEST_FREEZE_MS = 60_000;
const LONGEST_IDLE_MS = 4_000;

/** A process that now and then stands still for a long time, with its clock running on, and may die at any moment. */
export class SimulatedProcess {
  readonly random: () => number;
  /** Resolves when it dies; from then on nothing that waits for `thaw` goes on. */
  readonly death: Promise<void>;
  readonly #time: VirtualTime;
  #die = () => {};
  #frozenUntil = 0;
  #isDead = false;

  constructor(time: VirtualTime, random: () => number) {
    this.#time = time;
    this.random = random;
    this.death = new Promise((resolve) => (this.#die = resolve));
  }

  /** Goes on when the process runs: at once, after its freeze, or never. */
  async thaw(): Promise<void> {
    const dice = this.random();
    if (dice < 0.012) this.#frozenUntil = this.#time.now + this.random() * LONGEST_FREEZE_MS;
    if (dice > 0.995) {
      this.#isDead = true;
      this.#die();
    }
    if (this.#isDead) await new Promise(() => {});
    while (this.#time.now < this.#frozenUntil) await this.#time.sleep(this.#frozenUntil - this.#time.now);
  }

  /** Time in which it has nothing to do. */
  async idle(): Promise<void> {
    await this.#time.sleep(this.random() < 0.7 ? 0 : this.random() * LONGEST_IDLE_MS);
    await this.thaw();
  }
}
