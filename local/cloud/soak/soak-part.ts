/**
 * What clients do to one service while the cloud is killed again and again, and what they know of it. The assertions
 * throw when the cloud lost, invented or reordered something.
 */
export type SoakPart = {
  name: string;
  /** Each is called over and over until the kill. Only the cloud's death may make one fail, with a connection error. */
  workers: (() => Promise<void>)[];
  /** Asserts, after a restart and before the next round, that everything is as it was acknowledged. */
  check: () => Promise<void>;
  /** After the last round: takes out what is left and asserts that nothing is missing. */
  finish: () => Promise<void>;
  /** How much was acknowledged so far: a soak in which nothing happened proves nothing. */
  counts: () => Record<string, number>;
};
