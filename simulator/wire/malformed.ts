/** Something no honest client sends. Whoever reads a connection closes it on this error; nothing else is affected. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}
