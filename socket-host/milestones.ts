/** How far a device got after it was asked to connect. `gone`: it is not this host's any more. */
export type Milestone = { reached: "connected" | "qr" | "gone" } | { reached: "stopped"; reason: string };

/** What those who wait for a device are told. */
export class Milestones {
  #standing: Milestone | undefined;
  readonly #waiting = new Set<(milestone: Milestone) => void>();

  /** The last one while it is still true: connected, or showing a QR. */
  get standing(): Milestone | undefined {
    return this.#standing;
  }

  next(): Promise<Milestone> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  reach(milestone: Milestone): void {
    this.#standing = milestone.reached === "connected" || milestone.reached === "qr" ? milestone : undefined;
    for (const resolve of this.#waiting) resolve(milestone);
    this.#waiting.clear();
  }

  /** The socket has ended, and what comes next is not known yet. */
  leave(): void {
    this.#standing = undefined;
  }
}
