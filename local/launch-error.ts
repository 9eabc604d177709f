/** Why the product cannot start, in one line that a person can act on. The commands print it without a stack. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";
}
