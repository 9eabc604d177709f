/**
 * Something that outlives the process: one file `<folder>/<name>.json` in the data directory. Whoever changes it calls
 * `network.changed(it)`.
 */
export interface Kept {
  readonly keptIn: "accounts" | "groups" | "media";
  /** Unique in its folder. */
  readonly keptAs: string;
  /** Plain data, `Uint8Array`s included. */
  toRecord(): unknown;
}

/** What makes changes last beyond the process. Told of each change, so all of it must be cheap. */
export type Memory = { changed(thing: Kept): void; gone(thing: Kept): void; cleared(): void };
