import type { StatusChange } from "../shared/db/devices.ts";
import type { Log } from "../shared/log.ts";
import { closeReason } from "./close-reason.ts";
import { Connection } from "./connection.ts";
import { DeviceRecord } from "./device-record.ts";
import { DeviceStore } from "./device-store.ts";
import type { DeviceStoreOptions } from "./device-store.ts";
import type { DeviceChats } from "./device-chats.ts";
import type { DeviceLife } from "./device-life.ts";
import { KnownNumbers } from "./known-numbers.ts";
import type { LoginBudget, LoginEntry, LoginTicket } from "./login-budget.ts";
import { metrics } from "./metrics.ts";
import { Milestones } from "./milestones.ts";
import type { Milestone } from "./milestones.ts";
import { printQr } from "./print-qr.ts";
import { reconnectDelay } from "./reconnect-delay.ts";
import { Replacements } from "./replacements.ts";
import { resend } from "./resend.ts";
import type { Outgoing } from "./send-ledger.ts";
import { Timers } from "./timers.ts";
import { forgetHalfLink, isLinked } from "./whatsapp/credentials.ts";
import type { Account } from "./whatsapp/socket.ts";

export type DeviceOptions = Omit<DeviceStoreOptions, "onOverflow"> & {
  logins: LoginBudget;
  /** Another host owns the device, or it was removed: close it here. */
  onFenced: () => void;
};

/** How long a device that is not connected stays in memory after its chats were read. */
const IDLE_AFTER_MS = 300_000;
/** Attempts of a device that has never been open; one that was linked tries for ever. */
const MAX_FIRST_ATTEMPTS = 3;
/** In a row, with a code that may mean that the account is refused. */
const MAX_DOUBTFUL_ATTEMPTS = 3;

/**
 * One device on the host that owns it: whether it should be connected, its connection, and what happens when that ends.
 * docs/sockets.md has the states and the close codes.
 */
export class Device {
  readonly #options: DeviceOptions;
  readonly #record: DeviceRecord;
  readonly #store: DeviceStore;
  readonly #log: Log;
  readonly #known = new KnownNumbers();
  readonly #milestones = new Milestones();
  readonly #replacements = new Replacements();
  readonly #timers = new Timers();
  #connection: Connection | undefined;
  /** An opening that has not led to a connection yet; another one in its place means that it was called off. */
  #opening: { ticket?: LoginTicket } | undefined;
  /** From the row at first: a command that comes before this device's turn to be restored has to wait for it. */
  #isWanted: boolean;
  /** Somebody waits for it to open, and may be about to scan. */
  #isAsked = false;
  #isLinking = false;
  #isDegraded = false;
  #isDisposed = false;
  /** Since the last open connection, as people see it; and since the last stable one, as the back-off counts. */
  #attempts = 0;
  #failures = 0;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#isWanted = options.owned.isWanted;
    const { database, owned, onFenced } = options;
    this.#log = options.log.child({ deviceId: owned.deviceId });
    const store = new DeviceStore({ ...options, log: this.#log, onOverflow: () => void this.#pauseInput() });
    this.#store = store;
    const { deviceId } = owned;
    this.#record = new DeviceRecord({ database, deviceId, epoch: () => store.epoch, log: this.#log, onFenced });
  }

  get deviceId() {
    return this.#options.owned.deviceId;
  }
  get shard() {
    return this.#options.owned.shard;
  }
  /** Under which its rows are written. May rise once, when its state is loaded. */
  get epoch() {
    return this.#store.epoch;
  }
  /** Whether its connection is open and WhatsApp has been heard on it lately. */
  get isAlive() {
    return this.#connection !== undefined && this.#connection.isOpen && !this.#isSilent(this.#connection);
  }
  /** Loaded only to be read, some time ago: nothing is lost by letting go of it. */
  get isIdle() {
    return !this.#isWanted && !this.#connection && !this.#opening && this.#store.unusedMs > IDLE_AFTER_MS;
  }
  /** What is kept of it in MySQL, while its state is loaded. */
  get history() {
    return this.#store.life?.history;
  }
  /** The connection, while it is open. */
  get openConnection() {
    return this.#connection?.isOpen ? this.#connection : undefined;
  }
  /** From a person's wish to connect, over the QR and the phone's answer, until the connection is open, or it has led to nothing. */
  get isLinking() {
    return this.#isLinking || this.#isAsked;
  }

  /**
   * Opens the device and keeps it open. Answers the first of: connected, a QR to scan, stopped with a reason.
   * @param entry its place in the line of logins
   */
  async connect(entry: LoginEntry): Promise<Milestone> {
    this.#isWanted = true;
    if (this.#milestones.standing) return this.#milestones.standing;
    const reached = this.#milestones.next();
    this.#isAsked ||= entry === "urgent";
    if (entry === "urgent") this.#opening?.ticket?.hurry();
    if (!this.#connection && !this.#opening) void this.#open(entry);
    return await reached;
  }

  /**
   * Closes and stays closed; with `logout` the link is removed on WhatsApp's side and forgotten here.
   * @returns whether it was logged out: only an open connection can say goodbye
   */
  async disconnect(logout: boolean): Promise<boolean> {
    this.#isWanted = false;
    const connection = this.#connection;
    const loggedOut = logout && connection?.isOpen === true;
    if (loggedOut) {
      await connection.logOut();
      await this.#store.forgetLink();
    }
    await this.#endConnection("disconnected");
    await this.#show("disconnected", loggedOut ? "logged_out_by_user" : null, { desired: "disconnected" });
    return loggedOut;
  }

  /**
   * Closes, stays closed, and forgets everything that is stored of the device, without a word to WhatsApp. May be
   * repeated after a crash. `fenced`: the device is another host's, and nothing was deleted.
   */
  async wipe(): Promise<"wiped" | "fenced"> {
    this.#isWanted = false;
    await this.#endConnection("cancelled");
    // Before anything is deleted: a host that finds the device half wiped must not connect it.
    await this.#show("cancelled", "wiping", { desired: "disconnected" });
    const outcome = await this.#store.wipe();
    if (outcome === "wiped") await this.#show("cancelled", null, { desired: "disconnected", phoneNumber: null });
    return outcome;
  }

  /** A code that the person types on the phone of this number, in place of a QR. Only while a QR is shown. */
  async pairingCode(phone: string): Promise<string | undefined> {
    return this.#isLinking ? await this.#connection?.socket.pairingCode(phone) : undefined;
  }

  /** Whether there is a link to connect with. Rejects when the state cannot be loaded now. */
  async isLinked(): Promise<boolean> {
    const life = await this.#store.load();
    return typeof life === "object" && isLinked(life.state.creds);
  }

  /**
   * Resolves with `open` as soon as the connection is; `closed` when nobody wants it open or it does not come up in
   * time; `gone` when the device is not this host's any more.
   */
  async whenOpen(timeoutMs: number): Promise<"open" | "closed" | "gone"> {
    const deadline = performance.now() + timeoutMs;
    while (this.#isWanted && !this.#connection?.isOpen && performance.now() < deadline) {
      const timers = new Timers();
      const waited = new Promise((resolve) => timers.after(deadline - performance.now(), () => resolve(undefined)));
      await Promise.race([this.#milestones.next(), waited]);
      timers.clear();
    }
    return this.#isDisposed ? "gone" : this.#connection?.isOpen ? "open" : "closed";
  }

  /** Whether a number has a WhatsApp account. Rejects when the connection is not open or the server does not answer. */
  async isOnWhatsApp(phone: string): Promise<boolean> {
    if (this.#known.has(phone)) return true;
    if (!this.#connection) throw new Error("the device is not open");
    const isThere = await this.#connection.socket.isOnWhatsApp(phone);
    if (isThere) this.#known.add(phone);
    return isThere;
  }

  /**
   * The chats, loaded without a connection. `gone`: the device is not this host's any more. `unreadable`: a person must
   * look. Rejects when the store does not answer.
   */
  async chats(): Promise<DeviceChats | "gone" | "unreadable"> {
    const life = await this.#store.load();
    if (typeof life === "object") return life.chats;
    if (life === "fenced") this.#options.onFenced();
    return life === "unreadable" ? life : "gone";
  }

  /** See `Outbox.send`. Undefined when the connection is not open. */
  async send(message: Outgoing): Promise<{ finished: Promise<void> } | undefined> {
    const { life } = this.#store;
    if (!this.#connection?.isOpen || !life) return undefined;
    return await life.outbox.send(this.#connection.socket, message);
  }

  /**
   * Looks whether an open connection is one still: a server that is not heard, though it was asked something, may be on
   * the other end of a line that is cut. Told at the first look, replaced at the next, so that a host that was busy
   * itself has heard what waited for it.
   */
  async checkPulse(): Promise<void> {
    const connection = this.#connection;
    if (!connection?.isOpen) return;
    const wasDegraded = this.#isDegraded;
    this.#isDegraded = this.#isSilent(connection);
    if (this.#isDegraded && !wasDegraded) await this.#show("degraded", "silent");
    if (!this.#isDegraded && wasDegraded) await this.#show("connected", null);
    if (!this.#isDegraded || !wasDegraded) return;
    this.#log.warn("WhatsApp is not heard any more, the connection is replaced");
    await this.#endConnection(undefined);
    await this.#reconnectAfter(0, "silent");
  }

  /** Lets go of the device without a word to WhatsApp: for a hand-over, a shutdown, or when it was removed. */
  async close(): Promise<void> {
    this.#isDisposed = true;
    this.#isWanted = false;
    await this.#endConnection(undefined);
    this.#milestones.reach({ reached: "gone" });
    await this.#store.close();
    await this.#record.close();
  }

  async #open(entry: LoginEntry | "at once"): Promise<void> {
    const opening: { ticket?: LoginTicket } = {};
    this.#opening = opening;
    this.#timers.clear();
    const isCurrent = () => this.#opening === opening && this.#isWanted;
    try {
      if (entry !== "at once") {
        opening.ticket = this.#options.logins.take(entry);
        await opening.ticket.granted;
      }
      const life = isCurrent() ? await this.#store.load() : undefined;
      if (life === "fenced") this.#options.onFenced();
      if (life === "unreadable") await this.#stop("error", "state_unreadable");
      if (typeof life !== "object" || !isCurrent()) return;
      this.#attempts += 1;
      const linked = isLinked(life.state.creds);
      if (!linked) forgetHalfLink(life.state);
      await this.#show("connecting", null, linked ? { desired: "connected" } : {});
      if (isCurrent()) this.#connection = this.#newConnection(life);
    } catch (err) {
      this.#log.error({ err }, "device not opened");
      if (isCurrent()) await this.#reconnectAfter(this.#nextDelay(), "storage_unavailable");
    } finally {
      if (this.#opening === opening) this.#opening = undefined;
    }
  }

  #newConnection(life: DeviceLife): Connection {
    const connection: Connection = new Connection({
      life,
      config: this.#options.config.whatsapp,
      log: this.#log,
      onQr: (code, expiresAt) => this.#onQr(code, expiresAt),
      // From here on whoever has the device after a crash opens it. Only when the link is stored: it would show a QR otherwise.
      onPaired: async () => {
        await life.state.durable();
        await this.#show("pairing", null, { desired: "connected" });
      },
      onPasskey: async () => {
        await this.#endConnection(undefined);
        await this.#stop("passkey_required", "passkey_required");
      },
      onOpen: (account) => this.#onOpen(account),
      onReady: () => resend(life, connection, this.#log),
      onStable: () => {
        this.#failures = 0;
      },
      onClose: (code) => this.#onClose(life, code),
    });
    return connection;
  }

  async #onQr(code: string, expiresAt: Date): Promise<void> {
    this.#isLinking = true;
    if (this.#options.config.whatsapp.printQr) await printQr(this.deviceId, code);
    await this.#show("connecting", null, { qr: { code, expiresAt } });
    this.#milestones.reach({ reached: "qr" });
  }

  async #onOpen({ phone, lid }: Account): Promise<void> {
    this.#attempts = 0;
    this.#isAsked = false;
    this.#isLinking = false;
    this.#isDegraded = false;
    await this.#show("connected", null, { desired: "connected", phoneNumber: phone, ...(lid && { lid }) });
    this.#log.info("connected");
    metrics.connection("opened");
    this.#milestones.reach({ reached: "connected" });
  }

  async #onClose(life: DeviceLife, code: number | undefined): Promise<void> {
    this.#connection = undefined;
    this.#milestones.leave();
    this.#log.info({ code }, "socket closed");
    await life.outbox.onConnectionLost();
    const linked = isLinked(life.state.creds);
    const next = closeReason(code, linked);
    metrics.connection(next.action, code);
    switch (next.action) {
      case "restart":
        // The new socket logs in with what this one was given.
        await life.state.durable();
        return await this.#open("at once");
      case "reconnect":
        if (!linked && this.#attempts >= MAX_FIRST_ATTEMPTS) return await this.#stop("disconnected", next.reason);
        if (next.isDoubtful && this.#attempts >= MAX_DOUBTFUL_ATTEMPTS) return await this.#stop("error", next.reason);
        return await this.#reconnectAfter(this.#nextDelay(), next.reason);
      case "yield":
        return await this.#yield();
      case "stop":
        if (next.linkIsGone) await this.#store.forgetLink();
        return await this.#stop(next.status, next.reason, next.linkIsGone ? { desired: "disconnected" } : {});
    }
  }

  /** To write the status is to ask who owns the device: a host that has lost it ends here. */
  async #yield(): Promise<void> {
    const delayMs = this.#replacements.next();
    if (delayMs === undefined) return await this.#stop("disconnected", "conflict", { desired: "disconnected" });
    await this.#show("disconnected", "replaced");
    this.#milestones.reach({ reached: "stopped", reason: "replaced" });
    this.#reopenAfter(delayMs);
  }

  /** Closed, the device takes nothing in; WhatsApp keeps what comes meanwhile. */
  async #pauseInput(): Promise<void> {
    if (!this.#connection) return;
    this.#log.error("too many messages wait for the database, the connection is closed");
    await this.#endConnection(undefined);
    await this.#reconnectAfter(this.#nextDelay(), "database_unavailable");
  }

  async #stop(status: StatusChange["status"], reason: string, more: Partial<StatusChange> = {}): Promise<void> {
    this.#isWanted = false;
    this.#isAsked = false;
    this.#isLinking = false;
    await this.#show(status, reason, more);
    this.#milestones.reach({ reached: "stopped", reason });
  }

  async #reconnectAfter(delayMs: number, reason: string): Promise<void> {
    this.#reopenAfter(delayMs);
    await this.#show("connecting", reason);
  }

  #reopenAfter(delayMs: number): void {
    this.#opening = undefined;
    this.#timers.after(delayMs, () => {
      if (this.#isWanted && !this.#connection && !this.#opening) void this.#open("in line");
    });
  }

  #nextDelay(): number {
    this.#failures += 1;
    return reconnectDelay(this.#failures);
  }

  #isSilent(connection: Connection): boolean {
    // Baileys asks for a sign of life at each interval, and an answer takes no third of one.
    return connection.silentMs > (this.#options.config.whatsapp.keepAliveIntervalMs * 4) / 3;
  }

  /** With a reason, those who wait for the device are told that it has stopped. */
  async #endConnection(reason: string | undefined): Promise<void> {
    this.#timers.clear();
    this.#opening?.ticket?.leave();
    this.#opening = undefined;
    this.#connection?.close();
    this.#connection = undefined;
    this.#isAsked = false;
    this.#isLinking = false;
    this.#isDegraded = false;
    this.#milestones.leave();
    if (reason) this.#milestones.reach({ reached: "stopped", reason });
    await this.#store.life?.outbox.onConnectionLost();
  }

  async #show(status: StatusChange["status"], statusReason: string | null, more: Partial<StatusChange> = {}) {
    await this.#record.write({ status, statusReason, connectionAttempts: this.#attempts, ...more });
  }
}
