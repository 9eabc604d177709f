import type { Connection } from "../wire/connection.ts";

/** A connection from its login to the end of its TCP connection, in milliseconds since 1970; `until` is `null` if it is open. */
export type Spell = { from: number; until: number | null };

const MAX_SPELLS = 20;

/**
 * When connections of one device were there, as the server saw it. Two at once means that two programs believe to be the
 * device; the server ends the older one, but gives it a second to go.
 */
export class ConnectionLog {
  /** Logins over the life of the process. */
  ever = 0;
  /** Logins that found an older connection still open. */
  replaced = 0;
  readonly #open = new Map<Connection, Spell>();
  #spells: Spell[] = [];
  #overlapSince: number | undefined;
  #longestOverlapMs = 0;

  get now(): number {
    return this.#open.size;
  }

  /** For how long two connections were open together at the most, in milliseconds; one that lasts counts until now. */
  get longestOverlapMs(): number {
    const lasting = this.#overlapSince === undefined ? 0 : performance.now() - this.#overlapSince;
    return Math.round(Math.max(this.#longestOverlapMs, lasting));
  }

  /** The last 20, oldest first. */
  get spells(): Spell[] {
    return this.#spells;
  }

  opened(connection: Connection): void {
    this.ever++;
    const spell: Spell = { from: Date.now(), until: null };
    this.#open.set(connection, spell);
    this.#spells = [...this.#spells, spell].slice(-MAX_SPELLS);
    if (this.#open.size < 2) return;
    this.replaced++;
    this.#overlapSince ??= performance.now();
  }

  closed(connection: Connection): void {
    const spell = this.#open.get(connection);
    if (!spell) return;
    spell.until = Date.now();
    this.#longestOverlapMs = this.longestOverlapMs;
    this.#open.delete(connection);
    if (this.#open.size < 2) this.#overlapSince = undefined;
  }
}
