/** How long an answer is believed: an account that was there yesterday rarely is not today. */
const BELIEVED_MS = 24 * 3_600_000;
/** About 100 bytes each. */
const MAX_NUMBERS = 10_000;

/**
 * Phone numbers that were found on WhatsApp, so that each send does not ask again. Only those: a number without an
 * account may get one at any moment.
 */
export class KnownNumbers {
  readonly #until = new Map<string, number>();

  has(phone: string): boolean {
    return (this.#until.get(phone) ?? 0) > Date.now();
  }

  /** The oldest goes when there are too many. */
  add(phone: string): void {
    this.#until.delete(phone);
    this.#until.set(phone, Date.now() + BELIEVED_MS);
    const oldest = this.#until.keys().next().value;
    if (this.#until.size > MAX_NUMBERS && oldest !== undefined) this.#until.delete(oldest);
  }
}
