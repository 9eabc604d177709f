import "./quiet.ts";
import { DisconnectReason, isJidNewsletter, isJidStatusBroadcast, makeWASocket, proto } from "@whiskeysockets/baileys";
import type { BinaryNode } from "@whiskeysockets/baileys";
import type { MediaPayload, SendingPayload } from "../../shared/commands.ts";
import type { WhatsAppConfig } from "../../shared/config.ts";
import { parseJid } from "../../shared/jid.ts";
import type { DeviceState, JournalEntry } from "../device-state/state.ts";
import { AddressBook } from "./address-book.ts";
import { encode } from "./encode.ts";
import { tellOfChats } from "./chat-events.ts";
import type { ChatEvents } from "./chat-events.ts";
import { authKeys } from "./auth-keys.ts";
import { saveCredentials } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";
import { peerStanza } from "./decode/peer-message.ts";
import { deviceLists } from "./device-lists.ts";
import { IncomingMessages } from "./incoming-messages.ts";
import { journalStanzas } from "./journal-stanzas.ts";
import { Groups } from "./groups.ts";
import { uploadPart } from "./media-part.ts";
import type { UploadFile } from "./media-part.ts";
import { mediaWay } from "./media-way.ts";
import { gatedAgent } from "./output-gate.ts";
import { renewMedia } from "./renew-media.ts";
import type { MediaMessage } from "./renew-media.ts";
import "./signatures.ts";
import { silentLogger } from "./silent-logger.ts";
import { withSharedContext } from "./shared-context.ts";
import { signalRepository } from "./signal-repository.ts";

/** The account that a socket is logged in as. */
export type Account = { phone: string; lid: string | null };

/**
 * What WhatsApp lets an account do. `isRestricted`: it may not begin chats, `until` when, if that is told. `newChats`:
 * how many it may begin in a period, and has; undefined when there is no such limit.
 */
export type Standing = { isRestricted: boolean; until?: Date; newChats?: { used: number; quota: number } };

export type SocketEvents = ChatEvents & {
  /** Asked, not told: a message of ours that has left the outbox, for a recipient that could not read it. */
  findMessage: (messageId: string) => Promise<Buffer | undefined>;
  /** Asked, too: the part of a message that is its file, which this uploads if it has to. */
  mediaPart: (message: MediaPayload, upload: UploadFile) => Promise<Buffer>;
  onQr: (code: string, expiresAt: Date) => void;
  /** The phone has accepted the QR; WhatsApp now closes the socket and expects a new one (code 515). */
  onPaired: () => void;
  /** The phone that scanned the code, or got it typed, says that linking takes a passkey. */
  onPasskey: () => void;
  onOpen: (account: Account) => void;
  /** Everything that came while the device was away has been delivered. */
  onCaughtUp: () => void;
  onClose: (code: number | undefined) => void;
  /** WhatsApp's server has taken the message, or refused it with a code. */
  onAck: (messageId: string, errorCode: string | undefined) => void;
  /** The server knows that we have this message and will not bring it again. */
  onReceiptAck: (messageId: string) => void;
};

export type Socket = {
  groups: Groups;
  /** Whether a phone number has a WhatsApp account. Rejects when the server does not answer. */
  isOnWhatsApp: (phone: string) => Promise<boolean>;
  /** Uploads the file of a message, if it has one and that has not been done. Rejects as `OutgoingMedia.part`. */
  prepare: (message: SendingPayload) => Promise<void>;
  /** The content of a message as bytes. Kept, so that a retry sends the same. */
  encode: (message: SendingPayload) => Promise<Buffer>;
  /** Encrypts for every device of the recipient and hands it to the socket. Resolving is not an acknowledgement. */
  relay: (to: string, messageId: string, bytes: Uint8Array) => Promise<void>;
  /** What WhatsApp lets the account do. Rejects when the server does not say. */
  standing: () => Promise<Standing>;
  /** A code to type on the phone of this number; works while a QR is shown. Rejects when it cannot be asked for. */
  pairingCode: (phone: string) => Promise<string>;
  /**
   * Asks the phone for messages of a chat before this one; `at` in milliseconds since 1970. They come as a history, which
   * names the id that is answered here.
   */
  requestHistory: (before: { chat: string; id: string; fromMe: boolean; at: number }, count: number) => Promise<string>;
  /** See `renewMedia`. */
  renewMedia: (message: MediaMessage, bytes: Uint8Array) => Promise<Buffer | undefined>;
  /** Gives Baileys a message of an own device that it has not acted on. Nothing of it is decrypted a second time. */
  takeAgain: (entry: JournalEntry) => void;
  /** Removes the link on WhatsApp's side and closes. */
  logout: () => Promise<void>;
  /** Closes without logging out and lets go of everything; no event follows. */
  close: () => void;
  /** When the server was last heard, by `performance.now()`. */
  lastHeardAt: () => number;
};

/**
 * Baileys counts each answer to a retry request twice (lib/Socket/messages-recv.js, handleReceipt and sendMessagesAgain):
 * with its default of 5 it answers two, and a connection that is cut meanwhile leaves the message unreadable for good.
 */
const MAX_RETRIES = 10;
/** How long Baileys shows each QR: the first longer than the others (lib/Socket/socket.js, pair-device). */
const FIRST_QR_MS = 60_000;
const NEXT_QR_MS = 20_000;

/**
 * One Baileys socket on a device's state; the only place where the product and Baileys meet on a live connection.
 * Events come from the stanzas themselves, not from Baileys' event buffer, which merges them and holds them back
 * during login. Bytes leave through the output gate, when the state behind them is durable.
 */
export function openSocket(state: DeviceState<Credentials>, config: WhatsAppConfig, events: SocketEvents): Socket {
  const incoming = new IncomingMessages();
  const agent = gatedAgent(config.webSocketUrl, state);
  const sock = withSharedContext(() =>
    makeWASocket({
      waWebSocketUrl: config.webSocketUrl,
      agent,
      logger: silentLogger,
      // A canonical browser label: others are refused without a word when linking by code.
      browser: ["Ubuntu", "Chrome", "22.04.4"],
      // It would also set a timer for each frame that is sent; `Connection` watches over the opening.
      connectTimeoutMs: 0,
      defaultQueryTimeoutMs: config.queryTimeoutMs,
      keepAliveIntervalMs: config.keepAliveIntervalMs,
      ...mediaWay(config.mediaOrigin),
      // An "online" companion would silence the notifications on the person's phone.
      markOnlineOnConnect: false,
      emitOwnEvents: false,
      syncFullHistory: false,
      shouldIgnoreJid: isIgnored,
      auth: { creds: state.creds, keys: authKeys(state) },
      makeSignalRepository: signalRepository(state, { begin: (ciphertext) => incoming.begin(ciphertext) }),
      // Our store cannot fail late: a commit that is repeated would only hide a mistake for half a minute.
      transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 1 },
      maxMsgRetryCount: MAX_RETRIES,
      userDevicesCache: deviceLists(state),
      cachedGroupMetadata: async (group) => {
        const found = await groups.metadata(group);
        return found.outcome === "done" ? found.value : undefined;
      },
      // Looked up by id only: a retry request names the device it comes from, not the chat the message went to.
      getMessage: async ({ id }) => {
        const bytes = id ? (state.getOutbox(id)?.bytes ?? (await events.findMessage(id))) : undefined;
        return bytes && proto.Message.decode(bytes);
      },
    }),
  );

  const groups = new Groups(sock, new AddressBook(state));
  let isClosed = false;
  const letGo = () => {
    isClosed = true;
    // Baileys waits for the peer's goodbye before it lets go; a half-open peer never says it.
    agent.destroySockets();
    void sock.end(undefined);
    failQueries();
  };
  // Baileys takes the listeners away through which its open queries would hear of the end: they would hold everything in
  // memory until their own timeout, two minutes (lib/Socket/socket.js, end and waitForMessage).
  const failQueries = () => sock.ws.emit("error", new Error("the connection has ended"));
  let lastHeardAt = performance.now();
  let qrCount = 0;

  sock.ev.on("creds.update", (update) => saveCredentials(state, update));
  sock.ev.on("connection.update", (update) => {
    if (isClosed) return;
    if (update.qr) {
      qrCount += 1;
      events.onQr(update.qr, new Date(Date.now() + (qrCount === 1 ? FIRST_QR_MS : NEXT_QR_MS)));
    }
    if (update.isNewLogin) events.onPaired();
    if (update.connection === "open") events.onOpen(accountOf(state.creds));
    if (update.connection === "close") {
      isClosed = true;
      failQueries();
      events.onClose(codeOf(update.lastDisconnect?.error));
    }
  });
  // An HTTP status instead of a WebSocket: Baileys does not listen to this and would wait for ever. The status is some
  // proxy's, never WhatsApp's word about the account.
  sock.ws.on("unexpected-response", () => {
    if (isClosed) return;
    letGo();
    events.onClose(DisconnectReason.unavailableService);
  });
  sock.ws.on("frame", () => {
    lastHeardAt = performance.now();
  });
  sock.ws.prependListener("CB:message", (stanza: BinaryNode) => incoming.take(stanza));
  // Baileys acknowledges it and waits on until its QR codes run out (Baileys issue 2672).
  sock.ws.on("CB:notification,type:passkey_prologue_request", () => events.onPasskey());
  sock.ws.on("CB:ib,,offline", () => events.onCaughtUp());
  sock.ws.on("CB:ack,class:message", ({ attrs }: BinaryNode) => {
    if (attrs["id"]) events.onAck(attrs["id"], attrs["error"]);
  });
  sock.ws.on("CB:ack,class:receipt", ({ attrs }: BinaryNode) => {
    if (attrs["id"]) events.onReceiptAck(attrs["id"]);
  });
  journalStanzas(sock.ws, state, isIgnored);

  tellOfChats(sock, state, events);

  const partOf = (message: MediaPayload) =>
    events.mediaPart(message, (file) => uploadPart(sock.waUploadToServer, file));
  return {
    groups,
    async isOnWhatsApp(phone) {
      const found = await sock.onWhatsApp(phone);
      if (!found) throw new Error("the server did not answer the existence check");
      return found.some((entry) => entry.exists);
    },
    async prepare(message) {
      if (message.kind === "send-media") await partOf(message);
    },
    encode: (message) => encode(message, partOf),
    async relay(to, messageId, bytes) {
      await sock.relayMessage(to, proto.Message.decode(bytes), { messageId });
    },
    async standing() {
      const [lock, cap] = await Promise.all([sock.fetchAccountReachoutTimelock(), sock.fetchNewChatMessageCap()]);
      const quota = cap?.total_quota;
      return {
        isRestricted: lock.isActive === true,
        ...(lock.timeEnforcementEnds && { until: lock.timeEnforcementEnds }),
        ...(quota !== undefined && { newChats: { used: cap.used_quota ?? 0, quota } }),
      };
    },
    async pairingCode(phone) {
      return await sock.requestPairingCode(phone);
    },
    async requestHistory({ chat, id, fromMe, at }, count) {
      return await sock.fetchMessageHistory(count, { remoteJid: chat, id, fromMe }, at);
    },
    renewMedia: (message, bytes) => renewMedia(sock, message, bytes),
    takeAgain(entry) {
      sock.ws.emit("CB:message", peerStanza(entry));
    },
    async logout() {
      await sock.logout();
    },
    close() {
      if (!isClosed) letGo();
    },
    lastHeardAt: () => lastHeardAt,
  };
}

/** Statuses and channels are no messages to this account. */
const isIgnored = (jid: string) => Boolean(isJidStatusBroadcast(jid) || isJidNewsletter(jid));

function accountOf(creds: Credentials): Account {
  const phone = parseJid(creds.me?.id ?? "")?.user;
  if (!phone) throw new Error("the socket is open without an account");
  return { phone, lid: parseJid(creds.me?.lid ?? "")?.user ?? null };
}

/** Baileys ends sockets with a Boom error that carries the code. */
function codeOf(error: unknown): number | undefined {
  const output = error instanceof Error && "output" in error ? error.output : undefined;
  const code = output && typeof output === "object" && "statusCode" in output ? output.statusCode : undefined;
  return typeof code === "number" ? code : undefined;
}
