import { createHash, createHmac, randomBytes } from "node:crypto";

/** Begins every API token, so that a leaked one is recognised by people and by secret scanners. */
const PREFIX = "wag_";
const TOKEN_PATTERN = /^wag_[A-Za-z0-9_-]{43}$/;
const SHOWN_CHARACTERS = 12;

/** A new API token: 256 random bits. It is shown once; only `tokenHash` of it is kept. */
export const newToken = () => `${PREFIX}${randomBytes(32).toString("base64url")}`;

/** The token of a creation that a client may repeat: the same each time, and nobody's to guess without the key. */
export const repeatableToken = (sessionSecret: string, creationKey: string, fingerprint: Buffer) =>
  `${PREFIX}${createHmac("sha256", sessionSecret).update(`token\n${creationKey}\n`).update(fingerprint).digest("base64url")}`;

export const isToken = (text: string) => TOKEN_PATTERN.test(text);

/** A token has 256 random bits, so one fast hash is enough: there is nothing to guess. */
export const tokenHash = (token: string) => createHash("sha256").update(token).digest();

/** The part that lists show. */
export const tokenPrefix = (token: string) => token.slice(0, SHOWN_CHARACTERS);
