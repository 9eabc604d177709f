import type { HostConfig } from "../shared/config.ts";
import type { OwnedDevice, StatusChange } from "../shared/db/devices.ts";
import type { Database } from "../shared/db/pool.ts";
import type { Log } from "../shared/log.ts";
import type { Storage } from "../shared/storage.ts";
import { closeReason } from "./close-reason.ts";
import { DeviceRecord } from "./device-record.ts";
import { openDeviceLife } from "./device-life.ts";
import type { DeviceLife } from "./device-life.ts";
import { KnownNumbers } from "./known-numbers.ts";
import { reconnectDelay } from "./reconnect-delay.ts";
import type { Outgoing } from "./send-ledger.ts";
import { isLinked, newCredentials } from "./whatsapp/credentials.ts";
import { openSocket } from "./whatsapp/socket.ts";
import type { Account, Socket } from "./whatsapp/socket.ts";

/** How far a device got after it was asked to connect. `gone`: it is not this host's any more. */
export type Milestone = { reached: "connected" | "qr" | "gone" } | { reached: "stopped"; reason: string };

export type DeviceOptions = {
  owned: OwnedDevice;
  epoch: number;
  database: Database;
  storage: Storage;
  config: HostConfig;
  log: Log;
  /** Another host owns the device, or it was removed: close it here. */
  onFenced: () => void;
};

/** Attempts of a device that has never been open; one that was linked tries for ever. */
const MAX_FIRST_ATTEMPTS = 3;
/** How long the server's word that all was delivered is waited for before messages are sent again. */
const CAUGHT_UP_WAIT_MS = 15_000;
const LOGOUT_WAIT_MS = 5_000;

/**
 * One device on the host that owns it: its state from S3, its socket, and what happens when the socket ends. State is
 * loaded before the first socket opens and kept over reconnects.
 */
export class Device {
  readonly #options: DeviceOptions;
  readonly #record: DeviceRecord;
  readonly #log: Log;
  readonly #known = new KnownNumbers();
  #life: DeviceLife | undefined;
  #loading: Promise<DeviceLife | undefined> | undefined;
  #socket: Socket | undefined;
  /** Rises with every socket; what an older one still says is not listened to. */
  #generation = 0;
  /** From the row at first: a command that comes before this device's turn to be restored has to wait for it. */
  #isWanted: boolean;
  #isOpening = false;
  #isOpen = false;
  #isLinking = false;
  #isCaughtUp = false;
  #isLoggingOut = false;
  #isDisposed = false;
  #attempts = 0;
  #lastMilestone: Milestone | undefined;
  #timers = new Set<NodeJS.Timeout>();
  #listeners = new Set<(milestone: Milestone) => void>();

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#isWanted = options.owned.isWanted;
    const { database, owned, epoch, onFenced } = options;
    this.#log = options.log.child({ deviceId: owned.deviceId });
    this.#record = new DeviceRecord({ database, deviceId: owned.deviceId, epoch, log: this.#log, onFenced });
  }

  get deviceId() {
    return this.#options.owned.deviceId;
  }
  get shard() {
    return this.#options.owned.shard;
  }
  /** When WhatsApp was last heard on the live socket, by `Date.now()`; 0 when there is none. */
  get lastHeardAt() {
    return this.#isOpen ? (this.#socket?.lastHeardAt() ?? 0) : 0;
  }

  /** From the first QR until the phone's answer has led to an open socket, or to nothing. */
  get isLinking() {
    return this.#isLinking;
  }

  /** Opens the device and keeps it open. Answers the first of: connected, a QR to scan, stopped with a reason. */
  async connect(): Promise<Milestone> {
    this.#isWanted = true;
    if (this.#lastMilestone) return this.#lastMilestone;
    const reached = this.#nextMilestone();
    if (!this.#socket && !this.#isOpening) void this.#open();
    return await reached;
  }

  /**
   * Closes and stays closed; with `logout` the link is removed on WhatsApp's side and forgotten here.
   * @returns whether it was logged out: only an open socket can say goodbye
   */
  async disconnect(logout: boolean): Promise<boolean> {
    this.#isWanted = false;
    this.#clearTimers();
    const loggedOut = logout && this.#isOpen && (await this.#logOut());
    await this.#endSocket();
    this.#reach({ reached: "stopped", reason: "disconnected" });
    await this.#show("disconnected", loggedOut ? "logged_out_by_user" : null, { desired: "disconnected" });
    return loggedOut;
  }

  /**
   * Resolves with `open` as soon as the socket is; `closed` when nobody wants it open or it does not come up in time;
   * `gone` when the device is not this host's any more.
   */
  async whenOpen(timeoutMs: number): Promise<"open" | "closed" | "gone"> {
    const deadline = Date.now() + timeoutMs;
    while (this.#isWanted && !this.#isOpen && Date.now() < deadline) {
      const waited = new Promise((resolve) => this.#after(deadline - Date.now(), () => resolve(undefined)));
      await Promise.race([this.#nextMilestone(), waited]);
    }
    return this.#isDisposed ? "gone" : this.#isOpen ? "open" : "closed";
  }

  /** Whether a number has a WhatsApp account. Rejects when the socket is not open or the server does not answer. */
  async isOnWhatsApp(phone: string): Promise<boolean> {
    if (this.#known.has(phone)) return true;
    if (!this.#socket) throw new Error("the device is not open");
    const isThere = await this.#socket.isOnWhatsApp(phone);
    if (isThere) this.#known.add(phone);
    return isThere;
  }

  /** See `Outbox.send`. Undefined when the socket is not open. */
  async send(message: Outgoing): Promise<{ finished: Promise<void> } | undefined> {
    if (!this.#isOpen || !this.#socket || !this.#life) return undefined;
    return await this.#life.outbox.send(this.#socket, message);
  }

  /** Lets go of the device without a word to WhatsApp: for a hand-over, a shutdown, or when it was removed. */
  async close(): Promise<void> {
    this.#isDisposed = true;
    this.#isWanted = false;
    await this.#endSocket();
    this.#clearTimers();
    this.#reach({ reached: "gone" });
    await this.#life?.close();
    this.#life = undefined;
    await this.#record.close();
  }

  async #open(): Promise<void> {
    const generation = ++this.#generation;
    const isCurrent = () => generation === this.#generation && this.#isWanted;
    this.#isOpening = true;
    try {
      const life = await this.#load();
      if (!life || !isCurrent()) return;
      this.#attempts += 1;
      const linked = isLinked(life.state.creds);
      await this.#show("connecting", null, linked ? { desired: "connected" } : {});
      if (isCurrent()) {
        this.#isCaughtUp = false;
        this.#socket = this.#openSocket(life, isCurrent);
        this.#after(this.#options.config.whatsapp.connectTimeoutMs, () => void this.#giveUpWaiting(life, generation));
      }
    } catch (err) {
      this.#log.error({ err }, "device not opened");
      if (isCurrent()) await this.#reconnectLater("storage_unavailable");
    } finally {
      if (generation === this.#generation) this.#isOpening = false;
    }
  }

  /** Baileys waits for ever on a server that takes the connection and then says nothing. */
  async #giveUpWaiting(life: DeviceLife, generation: number): Promise<void> {
    if (generation !== this.#generation || this.#isOpen || this.#lastMilestone) return;
    this.#socket?.close();
    await this.#onClose(life, undefined);
  }

  /** One at a time: two readers of one log would each take it away from the other. */
  #load(): Promise<DeviceLife | undefined> {
    this.#loading ??= this.#loadOnce().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #loadOnce(): Promise<DeviceLife | undefined> {
    if (this.#life && !this.#life.state.failed) return this.#life;
    await this.#life?.close();
    this.#life = undefined;
    const { owned, epoch, database, storage, config } = this.#options;
    const opened = await openDeviceLife({
      owned,
      epoch,
      database,
      storage,
      log: this.#log,
      key: config.stateEncryptionKey,
      onOverflow: () => void this.#pauseInput(),
    });
    if (opened.outcome === "fenced") this.#options.onFenced();
    if (opened.outcome === "unreadable") await this.#stop("error", "state_unreadable");
    if (opened.outcome !== "open") return undefined;
    if (this.#isDisposed) {
      await opened.life.close();
      return undefined;
    }
    this.#life = opened.life;
    return opened.life;
  }

  /** Closed, the device takes nothing in; WhatsApp keeps what comes meanwhile. */
  async #pauseInput(): Promise<void> {
    if (!this.#socket) return;
    this.#log.error("too many messages wait for the database, the socket is closed");
    await this.#endSocket();
    await this.#reconnectLater("database_unavailable");
  }

  #openSocket(life: DeviceLife, isCurrent: () => boolean): Socket {
    const when =
      <Arguments extends unknown[]>(handle: (...values: Arguments) => Promise<void> | void) =>
      (...values: Arguments) => {
        if (!isCurrent() && !this.#isLoggingOut) return;
        const handled = (async () => await handle(...values))();
        handled.catch((err: unknown) => this.#log.error({ err }, "socket event failed"));
      };
    return openSocket(life.state, this.#options.config.whatsapp, {
      onQr: when((code, expiresAt) => this.#onQr(code, expiresAt)),
      onPaired: when(() => this.#show("pairing", null)),
      onOpen: when((account) => this.#onOpen(life, account)),
      onCaughtUp: when(() => this.#onCaughtUp(life)),
      onClose: when((code) => this.#onClose(life, code)),
      onAck: when((messageId, errorCode) => life.outbox.onAck(messageId, errorCode)),
      // At once and not through a promise: the acknowledgement that follows must find it in the journal.
      onReceipt: (receipt) => (life.state.failed ? undefined : life.inbox.onReceipt(receipt)),
      onReceiptAck: when((messageId) => life.inbox.onReceiptAck(messageId)),
    });
  }

  async #onQr(code: string, expiresAt: Date): Promise<void> {
    this.#isLinking = true;
    await this.#show("connecting", null, { qr: { code, expiresAt } });
    this.#reach({ reached: "qr" });
  }

  async #onOpen(life: DeviceLife, account: Account): Promise<void> {
    this.#attempts = 0;
    this.#isOpen = true;
    this.#isLinking = false;
    const { phone, lid } = account;
    await this.#show("connected", null, { desired: "connected", phoneNumber: phone, ...(lid && { lid }) });
    this.#log.info("connected");
    this.#reach({ reached: "connected" });
    if (this.#isCaughtUp) await this.#resend(life);
    else this.#after(CAUGHT_UP_WAIT_MS, () => void this.#resend(life));
  }

  /** Comes before or after `onOpen`, as it pleases the server. */
  async #onCaughtUp(life: DeviceLife): Promise<void> {
    this.#isCaughtUp = true;
    life.inbox.onCaughtUp();
    await this.#resend(life);
  }

  /**
   * Sends again what has no outcome, one after the other so that a backlog does not crowd out its own
   * acknowledgements. Only after the server has delivered what it kept: a receipt among that proves that a message
   * arrived, and it need not be sent a second time.
   */
  async #resend(life: DeviceLife): Promise<void> {
    if (!this.#isOpen) return;
    await life.state.durable();
    await life.inbox.idle();
    for (const message of await life.outbox.listUnresolved()) {
      if (!this.#isOpen || this.#life !== life) return;
      if (!(await life.outbox.isUnresolved(message))) continue;
      this.#log.info({ messageId: message.messageId }, "sending again");
      const sent = await this.send(message);
      await sent?.finished;
    }
  }

  async #onClose(life: DeviceLife, code: number | undefined): Promise<void> {
    this.#socket = undefined;
    this.#isOpen = false;
    this.#lastMilestone = undefined;
    this.#log.info({ code }, "socket closed");
    if (this.#isLoggingOut) return this.#reach({ reached: "stopped", reason: "logged_out_by_user" });
    await life.outbox.onConnectionLost();
    const linked = isLinked(life.state.creds);
    const next = closeReason(code, linked);
    switch (next.action) {
      case "restart":
        // The new socket logs in with what this one was given.
        await life.state.durable();
        return await this.#open();
      case "reconnect":
        if (!linked && this.#attempts >= MAX_FIRST_ATTEMPTS) return await this.#stop("disconnected", next.reason);
        return await this.#reconnectLater(next.reason);
      case "stop":
        if (next.linkIsGone) await this.#forgetLink(life);
        return await this.#stop(next.status, next.reason, next.linkIsGone ? { desired: "disconnected" } : {});
    }
  }

  async #stop(status: StatusChange["status"], reason: string, more: Partial<StatusChange> = {}): Promise<void> {
    this.#isWanted = false;
    this.#isLinking = false;
    await this.#show(status, reason, more);
    this.#reach({ reached: "stopped", reason });
  }

  async #reconnectLater(reason: string): Promise<void> {
    this.#isOpening = false;
    this.#after(reconnectDelay(Math.max(1, this.#attempts)), () => {
      if (this.#isWanted && !this.#socket && !this.#isOpening) void this.#open();
    });
    await this.#show("connecting", reason);
  }

  async #logOut(): Promise<boolean> {
    if (!this.#socket || !this.#life) return false;
    this.#isLoggingOut = true;
    const ended = this.#nextMilestone();
    await this.#socket.logout().catch((err: unknown) => this.#log.warn({ err }, "logout not sent"));
    await Promise.race([ended, new Promise((resolve) => this.#after(LOGOUT_WAIT_MS, () => resolve(undefined)))]);
    this.#isLoggingOut = false;
    await this.#forgetLink(this.#life);
    return true;
  }

  /** The next connect begins with a QR. What was received before must be events by then: the journal goes as well. */
  async #forgetLink(life: DeviceLife): Promise<void> {
    await life.inbox.idle();
    await life.state.reset(newCredentials());
  }

  async #endSocket(): Promise<void> {
    this.#generation += 1;
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isOpen = false;
    this.#isLinking = false;
    this.#isOpening = false;
    socket?.close();
    await this.#life?.outbox.onConnectionLost();
  }

  async #show(status: StatusChange["status"], statusReason: string | null, more: Partial<StatusChange> = {}) {
    await this.#record.write({ status, statusReason, connectionAttempts: this.#attempts, ...more });
  }

  #nextMilestone(): Promise<Milestone> {
    return new Promise((resolve) => this.#listeners.add(resolve));
  }

  #reach(milestone: Milestone): void {
    this.#lastMilestone = milestone.reached === "connected" || milestone.reached === "qr" ? milestone : undefined;
    for (const resolve of this.#listeners) resolve(milestone);
    this.#listeners.clear();
  }

  #after(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    this.#timers.add(timer);
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
