import { randomBytes, scryptSync } from "node:crypto";

/** A password's hash as `hashPassword` makes it, but for its cost: a real one takes as long as a hundred requests. */
export function cheapHash(password: string): string {
  const salt = randomBytes(16);
  const hash = scryptSync(password, salt, 32, { N: 2 ** 4, r: 8, p: 1 });
  return `$scrypt$ln=4,r=8,p=1$${salt.toString("base64url")}$${hash.toString("base64url")}`;
}
