import { createHash } from "node:crypto";

/** A weak entity tag (RFC 9110, 8.8.3) of what an answer says; its envelope has the time in it, which does not count. */
export const entityTag = (...content: unknown[]) =>
  `W/"${createHash("sha256").update(JSON.stringify(content)).digest("base64url").slice(0, 22)}"`;

/** Whether the client has it already, by its `If-None-Match` header. */
export const isKnown = (tag: string, ifNoneMatch: string | undefined) =>
  ifNoneMatch?.split(",").some((known) => known.trim() === tag || known.trim() === "*") === true;
