import * as messageLists from "../shared/db/message-lists.ts";
import type { Condition, Order, Selection } from "../shared/db/message-lists.ts";
import type { Call } from "./route.ts";
import { toCursor, toPage } from "./schemas/message-page.ts";
import { toPagination } from "./schemas/page.ts";
import { toStoredMessageView } from "./schemas/stored-message.ts";

type Listed = Selection & { order: Order };
type Query = { page: number; pageSize: number; cursor?: string | undefined };

/** The answer of every route that lists stored messages. Throws `validation_failed` for a page that has no number. */
export async function listMessages({ services }: Call, { order, ...selection }: Listed, query: Query) {
  const page = toPage(query);
  // One more than is asked for tells whether there is a next page.
  const found = await messageLists.list(services.database, selection, order, { ...page, limit: page.limit + 1 });
  const isEnd = "offset" in page && found.length <= page.limit && (found.length > 0 || page.offset === 0);
  const total = isEnd ? page.offset + found.length : await messageLists.count(services.database, selection);
  const messages = found.slice(0, page.limit);
  const last = messages.at(-1);
  const nextCursor = last && found.length > messages.length ? toCursor(last) : null;
  const pagination = toPagination(query.page, query.pageSize, total);
  return { status: 200 as const, data: { messages: messages.map(toStoredMessageView), pagination, nextCursor } };
}

/** Written or received under any of these addresses. */
export const ofParty = (addresses: readonly string[]): Condition[] => [
  ...addresses.map((address) => ({ sql: "sender = ?", values: [address] })),
  ...addresses.map((address) => ({
    sql: `receiver = ? AND sender NOT IN (${addresses.map(() => "?").join(",")})`,
    values: [address, ...addresses],
  })),
];

/** From any of these senders to any of these receivers; all of one side if the other is not given. */
export function fromTo(senders: readonly string[] | undefined, receivers: readonly string[] | undefined): Condition[] {
  const from = (senders ?? []).map((sender) => ({ sql: "sender = ?", values: [sender] }));
  const to = (receivers ?? []).map((receiver) => ({ sql: "receiver = ?", values: [receiver] }));
  if (!senders || !receivers) return [...from, ...to];
  return from.flatMap((one) =>
    to.map((other) => ({ sql: `${one.sql} AND ${other.sql}`, values: [...one.values, ...other.values] })),
  );
}
