import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import * as z from "zod";
import { decodeRecords, encodeRecords } from "../device-state/records.ts";
import { Fingerprints } from "./fingerprints.ts";
import { identityOf } from "./stored-message.ts";
import type { StoredMessage } from "./stored-message.ts";

/** What memory keeps of a page: enough to know whether it has to be fetched. Times in milliseconds since 1970. */
export type Page = {
  /** The last part of its object's name. */
  name: string;
  storedAt: number;
  /** The first and the last message in it by time, and the highest `n`. */
  from: number;
  to: number;
  maxN: number;
  count: number;
  ids: Fingerprints;
  chats: Fingerprints;
};

/** A version of a message, by its name. */
export type MessageText = readonly [name: string, text: string];

const schema = z.object({
  storedAt: z.number(),
  from: z.number(),
  to: z.number(),
  maxN: z.number(),
  count: z.number(),
  ids: z.string().transform(Fingerprints.fromText),
  chats: z.string().transform(Fingerprints.fromText),
});

export const parsePage = (name: string, text: string): Page => ({ name, ...schema.parse(JSON.parse(text)) });

export function pageText({ storedAt, from, to, maxN, count, ids, chats }: Page): string {
  return JSON.stringify({ storedAt, from, to, maxN, count, ids: ids.toText(), chats: chats.toText() });
}

export function describePage(name: string, messages: readonly MessageText[], storedAt: number): Page {
  const identities = messages.map(([messageName]) => identityOf(messageName));
  const parsed = messages.map(([, text]) => JSON.parse(text) as StoredMessage);
  const times = parsed.map(({ at }) => at);
  return {
    name,
    storedAt,
    from: times.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER),
    to: times.reduce((a, b) => Math.max(a, b), 0),
    maxN: parsed.reduce((most, { n }) => Math.max(most, n), 0),
    count: messages.length,
    ids: Fingerprints.of(identities.map(({ id }) => id)),
    chats: Fingerprints.of(identities.map(({ chat }) => chat)),
  };
}

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Chats repeat themselves: a page takes about a sixth of its text. */
export const packPage = (messages: readonly MessageText[]): Promise<Buffer> => compress(encodeRecords(messages));
export const unpackPage = (packed: Buffer): Promise<Buffer> => decompress(packed);

export function* messagesIn(body: Buffer): Generator<MessageText> {
  for (const [name, text] of decodeRecords(body)) if (text !== null) yield [name, text];
}
