import type { Account } from "../network/account.ts";
import type { Clock } from "../network/clock.ts";
import type { Registration } from "./registration.ts";

/**
 * How an attempt to link ended. Before the client hears of it: `unknown`, nobody shows this QR code or waits for a code on
 * this number (any more); `expired`, it was shown for too long; `too-many-devices`, the phone has four. Then:
 * `passkey-required`, the client was asked for a passkey, which it cannot give; `refused`, the client did not accept, or a
 * pairing code was wrong.
 */
export type PairingOutcome =
  | { outcome: "linked"; device: number }
  | { outcome: "unknown" | "expired" | "too-many-devices" | "passkey-required" | "refused" };

/** "You can use up to four linked devices at a time": faq.whatsapp.com, About linked devices. */
export const MAX_LINKED_DEVICES = 4;
/** Clients show the first QR code for 60 s and each further one for 20 s (Baileys Socket/socket.js, `genPairQR`). */
const FIRST_REF_MS = 60_000;
const NEXT_REF_MS = 20_000;
/** As long as the QR codes of a connection last; whatsmeow (`PairPhone`) names 160 s as the limit, too. */
const CODE_MS = 160_000;

/** Where phones find the clients that wait to be linked. */
export class PairingDesk {
  readonly #clock: Clock;
  readonly #byRef = new Map<string, { registration: Registration; expiresAt: number }>();
  readonly #byNumber = new Map<string, { registration: Registration; expiresAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A client shows these, one after the other; answers when the last of them expires. */
  showRefs(refs: string[], registration: Registration): number {
    let expiresAt = this.#clock.now() + FIRST_REF_MS - NEXT_REF_MS;
    for (const ref of refs) this.#byRef.set(ref, { registration, expiresAt: (expiresAt += NEXT_REF_MS) });
    return expiresAt;
  }

  /** The client asked for a pairing code on this number; the latest one counts. */
  awaitCode(number: string, registration: Registration): void {
    this.#byNumber.set(number, { registration, expiresAt: this.#clock.now() + CODE_MS });
  }

  leave(registration: Registration): void {
    for (const waiting of [this.#byRef, this.#byNumber]) {
      for (const [key, each] of waiting) if (each.registration === registration) waiting.delete(key);
    }
  }

  clear(): void {
    this.#byRef.clear();
    this.#byNumber.clear();
  }

  /**
   * The phone scans `https://wa.me/settings/linked_devices#ref,noiseKey,identityKey,advSecret,platform` (Baileys
   * Utils/companion-reg-client-utils.js). A QR code holds until the time at which clients stop to show it; one that is
   * shown before its turn holds, too.
   */
  async scan(account: Account, qr: string): Promise<PairingOutcome> {
    const [ref = "", noiseKey = "", identityKey = "", advSecret = ""] = qr.slice(qr.indexOf("#") + 1).split(",");
    const shown = this.#byRef.get(ref);
    if (!shown?.registration.hasKeys(noiseKey, identityKey)) return { outcome: "unknown" };
    return this.#refusal(account, shown) ?? shown.registration.pair(account, advSecret);
  }

  /** The user types the eight characters that the client shows, with or without the dash. */
  async enterCode(account: Account, code: string): Promise<PairingOutcome> {
    const waiting = this.#byNumber.get(account.number);
    if (!waiting) return { outcome: "unknown" };
    const typed = code.replaceAll("-", "").toUpperCase();
    return this.#refusal(account, waiting) ?? waiting.registration.enterCode(account, typed);
  }

  /** What the phone says before it asks anybody. */
  #refusal(account: Account, { expiresAt }: { expiresAt: number }): PairingOutcome | undefined {
    if (this.#clock.now() >= expiresAt) return { outcome: "expired" };
    return account.devices.size >= MAX_LINKED_DEVICES ? { outcome: "too-many-devices" } : undefined;
  }
}
