import type { OwnedDevice } from "../shared/db/devices.ts";
import type { Database, Runner } from "../shared/db/pool.ts";
import type { NewEvent } from "../shared/events.ts";
import type { DeviceId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import type { Storage } from "../shared/storage.ts";
import { commandBook, commandLedger } from "./command-ledger.ts";
import { DeviceState } from "./device-state/state.ts";
import type { PageCache } from "./chat-store/page-cache.ts";
import { DeviceChats } from "./device-chats.ts";
import { DeviceHistory } from "./device-history.ts";
import { jobBook, jobLedger } from "./jobs/job-ledger.ts";
import { Inbox } from "./inbox.ts";
import type { HostMedia } from "./media/host-media.ts";
import { OutgoingMedia } from "./media/outgoing-media.ts";
import { ReceivedMedia } from "./media/received-media.ts";
import { Outbox } from "./outbox.ts";
import type { RecordOutcome } from "./outcome-recorder.ts";
import type { PersistenceRule } from "./persistence-rule.ts";
import type { SendBook, SendLedger } from "./send-ledger.ts";
import { newCredentials } from "./whatsapp/credentials.ts";
import type { Credentials } from "./whatsapp/credentials.ts";
import type { IncomingMessage } from "./whatsapp/decode/incoming-message.ts";
import type { Receipt } from "./whatsapp/decode/receipt.ts";

/** What a device has in memory while this host owns it: everything from S3, and what stands on it. */
export type DeviceLife = {
  state: DeviceState<Credentials>;
  outbox: Outbox;
  inbox: Inbox;
  chats: DeviceChats;
  history: DeviceHistory;
  outgoingMedia: OutgoingMedia;
  receivedMedia: ReceivedMedia;
  /** Flushes what is not durable yet, then lets go. */
  close: () => Promise<void>;
};

type Options = {
  owned: OwnedDevice;
  epoch: number;
  database: Database;
  record: RecordOutcome;
  rule: PersistenceRule;
  storage: Storage;
  key: Buffer;
  /** Shared by all devices of the host. */
  pageCache: PageCache;
  media: HostMedia;
  /** See `WhatsAppConfig`. */
  mediaOrigin: string | undefined;
  log: Log;
  /** See `Inbox`. */
  onOverflow: () => void;
};

/** Everything that asks for messages of a device. */
export const sendLedgers = (database: Database, deviceId: DeviceId, epoch: number): SendLedger[] => [
  commandLedger(database, deviceId, epoch),
  jobLedger(database, deviceId, epoch),
];

/** The kinds of rows that do so, over all devices. */
export const sendBooks: readonly SendBook[] = [commandBook, jobBook];

/** Where a device's state lies; see docs/decisions/0004. */
export const statePrefix = ({ userId, deviceId }: Pick<OwnedDevice, "userId" | "deviceId">) =>
  `devices/${userId}/${deviceId}/`;

/**
 * `fenced`: a host with a newer epoch has opened it. `unreadable`: an object is damaged or sealed under another key, and
 * a person must look.
 */
export type LifeOpened = { outcome: "open"; life: DeviceLife } | { outcome: "fenced" } | { outcome: "unreadable" };

/** Loads all of a device's state. Throws when the store does not answer. */
export async function openDeviceLife(options: Options): Promise<LifeOpened> {
  const { owned, epoch, database, record, rule, storage, key, pageCache, media, mediaOrigin, log, onOverflow } =
    options;
  const place = { storage, prefix: statePrefix(owned), key, epoch };
  const opened = await DeviceState.open<Credentials>({ ...place, newCreds: newCredentials, log });
  if (opened.outcome === "unreadable") {
    log.error({ object: opened.object, why: opened.why }, "the device's state cannot be read");
    return { outcome: "unreadable" };
  }
  if (opened.outcome === "fenced") return opened;
  const { state } = opened;
  const part = { database, deviceId: owned.deviceId, epoch, state, log };
  const ledgers = sendLedgers(database, owned.deviceId, epoch);
  const chats = new DeviceChats({ place, state, cache: pageCache, log });
  const history = new DeviceHistory({
    link: owned,
    epoch,
    database,
    book: chats.book,
    rule,
    getOutbox: (messageId) => state.getOutbox(messageId),
    log,
  });
  const outbox = new Outbox({ ...part, record, ledgers, chats, history });
  const unresolved = await outbox.prepare().catch(async (err: unknown) => {
    await state.close();
    throw err;
  });
  const recordReceipt = (receipt: Receipt) => outbox.recordReceipt(receipt);
  const findMessage = (messageId: string) => chats.reader.rawMessage(messageId);
  const receivedMedia = new ReceivedMedia({
    owned,
    epoch,
    database,
    media,
    origin: mediaOrigin,
    findMessage: (messageId) => chats.reader.message(messageId),
    log,
  });
  const readers = {
    persist: async (messages: readonly IncomingMessage[], facts: readonly NewEvent[]) => {
      const { write, ...kept } = await history.persist(messages, facts);
      const writeAll = async (runner: Runner) => {
        await receivedMedia.record(runner, messages);
        await write(runner);
      };
      return { ...kept, write: writeAll };
    },
    store: async (messages: readonly IncomingMessage[]) => {
      await chats.store.take(messages);
      receivedMedia.wake(messages);
    },
  };
  const inbox = new Inbox({ ...part, recordReceipt, findMessage, readers, onOverflow });
  chats.settlePending(unresolved).catch((err: unknown) => log.warn({ err }, "status of sent messages not settled"));
  chats.intake.onStored.add((chunk) => inbox.onHistoryStored(chunk));
  const close = async () => {
    await outbox.onConnectionLost();
    await inbox.close();
    await receivedMedia.close();
    await chats.close();
    await state.close();
  };
  const outgoingMedia = new OutgoingMedia(media.files, media.outgoing);
  return { outcome: "open", life: { state, outbox, inbox, chats, history, outgoingMedia, receivedMedia, close } };
}
