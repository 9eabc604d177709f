import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** OWASP's password storage cheat sheet: scrypt with N = 2^17, r = 8, p = 1, which takes 128 MiB for a moment. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 20 };
const HASH_BYTES = 32;
const derive = promisify<string, Buffer, number, typeof COST, Buffer>(scrypt);

/** In PHC string form, so that the cost can be raised later and old hashes still verify. */
const PHC = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w-]+)\$([\w-]+)$/;
/** Nobody's: what is compared with when there is no such user, so that the answer takes as long. */
const NOBODY = `$scrypt$ln=17,r=8,p=1$${Buffer.alloc(16).toString("base64url")}$${Buffer.alloc(HASH_BYTES).toString("base64url")}`;

/** One at a time, for the memory's sake; whoever stands further back than this in the queue is better told so. */
const MAX_WAITING = 20;
let waiting = 0;
let last: Promise<unknown> = Promise.resolve();

/** Too many passwords are being looked at now. */
export class PasswordsBusy extends Error {
  override readonly name = "PasswordsBusy";
}

/** Throws `PasswordsBusy`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await inTurn(() => derive(password, salt, HASH_BYTES, COST));
  return `$scrypt$ln=17,r=8,p=1$${salt.toString("base64url")}$${hash.toString("base64url")}`;
}

/**
 * Whether a password is the one that was hashed. Takes the same time for no hash, and is false then.
 * Throws `PasswordsBusy`.
 */
export async function verifyPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [, ln, r, p, salt = "", expected = ""] = PHC.exec(hash ?? NOBODY) ?? PHC.exec(NOBODY) ?? [];
  const cost = { ...COST, N: 2 ** Number(ln), r: Number(r), p: Number(p) };
  const bytes = Buffer.from(expected, "base64url");
  const derived = await inTurn(() => derive(password, Buffer.from(salt, "base64url"), bytes.length, cost));
  return timingSafeEqual(derived, bytes) && hash !== undefined;
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (waiting >= MAX_WAITING) throw new PasswordsBusy();
  waiting++;
  const mine = last.then(work);
  last = mine.catch(() => undefined);
  try {
    return await mine;
  } finally {
    waiting--;
  }
}
