/**
 * Why a device's state has stopped. `fenced`: another owner has taken the log over. `unavailable`: the store did not
 * answer in time. `too-large`: one append was larger than an entry may be. `closed`: by ourselves.
 */
export class StateFailure extends Error {
  override readonly name = "StateFailure";
  readonly reason: "fenced" | "unavailable" | "too-large" | "closed";
  constructor(reason: StateFailure["reason"], message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}
