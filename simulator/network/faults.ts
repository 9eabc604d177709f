/** Faults that strike connections. */
export const AT_ONCE_FAULTS = ["drop", "stream-error", "replaced", "logout", "half-open"] as const;
/** Faults that lie in wait for the next thing they fit. */
export const LASTING_FAULTS = [
  "refuse-connections",
  "refuse-login",
  "no-ack",
  "ack-error",
  "slow",
  "corrupt-message",
  "no-history",
  "passkey-required",
  "media-upload-error",
  "media-gone",
  "rate-overlimit",
  "slow-queries",
] as const;

export type AtOnceFault = (typeof AT_ONCE_FAULTS)[number];
export type LastingFault = (typeof LASTING_FAULTS)[number];
export type FaultKind = AtOnceFault | LastingFault;

/** Whom a fault is for; what is left out fits everyone. Device 0 is the phone. */
export type FaultMatch = { phone?: string | undefined; device?: number | undefined; group?: string | undefined };

/**
 * Where something happens: to which phone or device, and in which group if it is about one. What happens to a whole
 * connection (`isIn`) fits the groups that its owner is in.
 */
export type Place = {
  phone?: string;
  device?: number;
  group?: string | undefined;
  isIn?: (group: string) => boolean;
};

export type FaultOrder = {
  match: FaultMatch;
  fault: FaultKind;
  /** How often it acts. Default: at-once faults and `corrupt-message` once, the others until they are deleted. */
  count?: number | undefined;
  delayMs?: number | undefined;
  code?: number | undefined;
};

export type Fault = {
  id: string;
  match: FaultMatch;
  fault: FaultKind;
  /** How often it will still act; `null` means until it is deleted. */
  remaining: number | null;
  /** How often it has acted. */
  acted: number;
  delayMs: number;
  code: number;
};

const DEFAULT_DELAY_MS = 1_000;
/** 463: the account may not start chats; 503: the server is out of order (Utils/decode-wa-message.js, Socket/socket.js). */
const DEFAULT_CODES: Partial<Record<FaultKind, number>> = {
  "ack-error": 463,
  "rate-overlimit": 429,
  "media-upload-error": 500,
  "media-gone": 410,
};
const DEFAULT_CODE = 503;

/**
 * Everything that is to go wrong. The one table that the rest of the simulator asks, each kind in one place:
 *
 * | fault | asked | acts |
 * |---|---|---|
 * | `drop`, `stream-error`, `replaced`, `half-open` | when ordered, and after each login while something remains | once on all matching live connections together; if there is none, on the next matching login |
 * | `logout` | when ordered | removes all matching linked devices, connected or not |
 * | `refuse-connections` | at the HTTP upgrade, before anyone is known (so it takes no match) | cuts the TCP connection |
 * | `refuse-login` | at login; one without a match also when a client comes to be linked | `<failure reason=code>` |
 * | `no-ack`, `slow` | when a message was taken from a device | the message goes its way, its ack never, or after `delayMs` |
 * | `ack-error` | when a message came from a device | ack with `error=code`, the message goes nowhere |
 * | `no-history` | when the phone is about to give its history to a device | that device gets none |
 * | `passkey-required` | when a code is scanned or typed | the client is asked for a passkey, the phone gives up |
 * | `rate-overlimit` | when a device asks for something (iq) | `<error code=429 text=rate-overlimit>` and nothing is done |
 * | `slow-queries` | when a device asks for something (iq) | it is done, the answer comes after `delayMs` |
 * | `media-upload-error` | when a device uploads a file | that HTTP status |
 * | `media-gone` | when a file is downloaded that the matching device uploaded, or a phone sent to the matching one | the file is gone for good, with that HTTP status, until it is uploaded again |
 * | `corrupt-message` | when a copy is about to reach the matching device (0: the phone) | spoils its MAC |
 *
 * Faults live in memory only: a restart of the simulator ends them.
 */
export class FaultTable {
  readonly #faults = new Map<string, Fault>();
  #issued = 0;

  add({ match, fault, count, delayMs, code }: FaultOrder): Fault {
    const isOneShot = fault === "corrupt-message" || isAtOnce(fault);
    const added: Fault = {
      id: String(++this.#issued),
      match,
      fault,
      remaining: count ?? (isOneShot ? 1 : null),
      acted: 0,
      delayMs: delayMs ?? DEFAULT_DELAY_MS,
      code: code ?? DEFAULT_CODES[fault] ?? DEFAULT_CODE,
    };
    this.#faults.set(added.id, added);
    return added;
  }

  /** The first fault of this kind that fits, counted as acted; `undefined` if nothing is to go wrong here. */
  take(kind: FaultKind, place: Place): Fault | undefined {
    for (const fault of this.#faults.values()) {
      if (fault.fault !== kind || !fits(fault.match, place)) continue;
      this.countDown(fault);
      return fault;
    }
    return undefined;
  }

  /** Notes that a fault has acted; a fault that is used up leaves the table. */
  countDown(fault: Fault): void {
    fault.acted++;
    if (fault.remaining === null) return;
    fault.remaining--;
    if (fault.remaining <= 0) this.#faults.delete(fault.id);
  }

  list(): Fault[] {
    return [...this.#faults.values()];
  }

  /** Whether this id was ever given out: deleting a fault that is used up is no error. */
  wasIssued(id: string): boolean {
    return /^[1-9]\d{0,14}$/.test(id) && Number(id) <= this.#issued;
  }

  delete(id: string): void {
    this.#faults.delete(id);
  }

  clear(): void {
    this.#faults.clear();
  }
}

export function isAtOnce(fault: FaultKind): fault is AtOnceFault {
  return (AT_ONCE_FAULTS as readonly string[]).includes(fault);
}

export function fits(match: FaultMatch, place: Place): boolean {
  return (
    (match.phone === undefined || match.phone === place.phone) &&
    (match.device === undefined || match.device === place.device) &&
    (match.group === undefined || match.group === place.group || place.isIn?.(match.group) === true)
  );
}
