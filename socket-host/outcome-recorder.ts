import * as devices from "../shared/db/devices.ts";
import type { HeldDevices } from "../shared/db/devices.ts";
import * as events from "../shared/db/events.ts";
import { transaction } from "../shared/db/pool.ts";
import type { Database, Runner } from "../shared/db/pool.ts";
import type { NewEvent } from "../shared/events.ts";
import type { DeviceId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import { orElseWithout } from "./device-history.ts";
import type { KeptMessages } from "./device-history.ts";
import { groupWork } from "../shared/group-work.ts";
import { keepMessages } from "./keep-messages.ts";
import type { Refusal } from "./refusal.ts";
import { reachedBy } from "./reached-by.ts";
import type { Asked, SendBook } from "./send-ledger.ts";
import type { Receipt } from "./whatsapp/decode/receipt.ts";

/**
 * What became of messages of one device. `ack`: WhatsApp's server has taken one, or refused it; `asked` is the row that
 * asked for it, which is looked up if it is not known. `receipt`: recipients have them, so the server has taken them.
 * `kept`: rows of messages of the device may be written.
 */
export type Outcome = { deviceId: DeviceId; epoch: number; kept?: KeptMessages | undefined } & (
  | {
      kind: "ack";
      messageId: string;
      asked: Omit<Asked, "deviceId" | "epoch"> | undefined;
      refusal: Refusal | undefined;
    }
  | { kind: "receipt"; receipt: Receipt }
);

/** Being told again, or late, does no harm. Rejects when it could not be recorded. */
export type RecordOutcome = (outcome: Outcome) => Promise<void>;

/** What one transaction takes: it holds the rows of as many devices. */
const MAX_TOGETHER = 50;

/**
 * Writes down, for all devices of a host, what became of their messages: those that are known at about the same time in one
 * transaction, with the same few statements as for one.
 * @param books every kind of rows that ask for messages
 */
export function outcomeRecorder(database: Database, books: readonly SendBook[], log: Log): RecordOutcome {
  const recordTogether = groupWork(async (outcomes: readonly Outcome[]) => {
    const held = await recordAll({ database, books, log }, outcomes, "passed over");
    return ({ deviceId }) => held.has(deviceId);
  }, MAX_TOGETHER);
  return async (outcome) => {
    // A row that somebody else holds, perhaps for long, must not keep the others waiting.
    if (!(await recordTogether(outcome))) await recordAll({ database, books, log }, [outcome], "waited for");
  };
}

/** @returns the devices whose outcomes are recorded; another host may own the others, or their rows were not waited for */
function recordAll(
  { database, books, log }: { database: Database; books: readonly SendBook[]; log: Log },
  outcomes: readonly Outcome[],
  busyRowsAre: "waited for" | "passed over",
): Promise<HeldDevices> {
  return transaction(database, async (runner) => {
    // First the devices, then the rows of their messages, as every other transaction: two that lock crosswise would block each other.
    const held = await devices.hold(runner, outcomes, busyRowsAre);
    const ours = outcomes.filter(({ deviceId }) => held.has(deviceId));
    const accepted = await recordAcks(runner, held, books, ours);
    accepted.push(...(await recordReceipts(runner, held, books, ours)));
    const kept = new Map(ours.flatMap((one) => (one.kept ? [[one.deviceId, one.kept]] : [])));
    const received = ours.flatMap((one) => (one.kind === "receipt" ? [{ ...one, ...one.receipt }] : []));
    await orElseWithout(log, () => keepMessages(runner, kept, accepted, received));
    return held;
  });
}

async function recordAcks(runner: Runner, held: HeldDevices, books: readonly SendBook[], outcomes: readonly Outcome[]) {
  const acks = outcomes.flatMap((one) => (one.kind === "ack" ? [one] : []));
  const unknown = acks.filter(({ asked }) => !asked);
  const found = await find(
    runner,
    books,
    unknown.map(({ messageId, ...of }) => ({ ...of, messageIds: [messageId] })),
  );
  const accepted: Asked[] = [];
  for (const { deviceId, epoch, messageId, asked, refusal } of acks) {
    const row = asked ? { ...asked, deviceId, epoch } : found.get(messageId);
    if (row && refusal) await row.book.refuse(runner, row, refusal, held);
    else if (row) accepted.push(row);
  }
  await accept(runner, held, accepted);
  return accepted;
}

async function recordReceipts(
  runner: Runner,
  held: HeldDevices,
  books: readonly SendBook[],
  outcomes: readonly Outcome[],
) {
  const receipts = outcomes.flatMap((one) => (one.kind === "receipt" ? [{ ...one, ...one.receipt }] : []));
  const found = await find(runner, books, receipts);
  if (!found.size) return [];
  const accepted = [...found.values()];
  await accept(runner, held, accepted);

  const told = receipts.flatMap(({ messageIds, ...receipt }) =>
    messageIds.flatMap((messageId) => {
      const row = found.get(messageId);
      return row ? [{ ...receipt, row, reached: reachedBy(receipt.status) }] : [];
    }),
  );
  const news = new Set<(typeof told)[number]>();
  for (const book of books) {
    const ofBook = told.filter(({ row }) => row.book === book);
    for (const one of ofBook.length ? await book.markReceived(runner, ofBook) : []) news.add(one);
  }
  const occurredAt = new Date();
  const facts = told
    // The row knows of the first reader only, and of nobody who has listened.
    .filter((one) => news.has(one) || one.participant || one.status === "played")
    .map(({ row: { deviceId, messageId, trace }, chat, participant, status }) => {
      const dedupeKey = ["status", messageId, status, participant?.jid ?? ""].join("|");
      const data = { messageId, chat, participant, status };
      return { deviceId, event: { type: "message.status", data, dedupeKey, occurredAt, trace } satisfies NewEvent };
    });
  await events.appendHeld(runner, held, facts);
  return accepted;
}

/** Does nothing for a message that has an outcome. */
async function accept(runner: Runner, held: HeldDevices, asked: readonly Asked[]): Promise<void> {
  const occurredAt = new Date();
  const open = asked.flatMap((row) => (row.to === null ? [] : [{ ...row, to: row.to }]));
  if (!open.length) return;
  const facts = open.map(({ deviceId, origin, messageId, to, trace }) => {
    const data = { ...origin, messageId, to };
    const event: NewEvent = { type: "message.sent", data, dedupeKey: `sent|${messageId}`, occurredAt, trace };
    return { deviceId, event };
  });
  await events.appendHeld(runner, held, facts);
  for (const book of new Set(open.map((row) => row.book))) {
    const ofBook = open.filter((row) => row.book === book);
    await book.accept(runner, ofBook, occurredAt, held);
  }
}

async function find(
  runner: Runner,
  books: readonly SendBook[],
  wanted: readonly { deviceId: DeviceId; epoch: number; messageIds: readonly string[] }[],
): Promise<Map<string, Asked>> {
  const found = new Map<string, Asked>();
  const epochs = new Map(wanted.map(({ deviceId, epoch }) => [deviceId, epoch]));
  for (const book of books) {
    const missing = wanted
      .map(({ deviceId, messageIds }) => ({ deviceId, messageIds: messageIds.filter((id) => !found.has(id)) }))
      .filter(({ messageIds }) => messageIds.length);
    for (const sent of missing.length ? await book.find(runner, missing) : []) {
      found.set(sent.messageId, { ...sent, epoch: epochs.get(sent.deviceId) ?? 0, book });
    }
  }
  return found;
}
