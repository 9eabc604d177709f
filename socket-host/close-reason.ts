import type { DeviceStatus } from "../shared/device-status.ts";

/** What the host does about a closed socket, and what the device shows meanwhile. */
export type CloseReason =
  /** Open a new socket at once: an ordinary step of linking. */
  | { action: "restart" }
  /** Open a new socket after a delay. `isDoubtful`: not for ever, the code may be about the account. */
  | { action: "reconnect"; reason: string; isDoubtful?: true }
  /** Another connection uses these credentials: see `Replacements`. */
  | { action: "yield" }
  /** Leave it closed until somebody asks. `linkIsGone`: the credentials are worth nothing any more. */
  | { action: "stop"; status: DeviceStatus; reason: string; linkIsGone: boolean };

const stop = (status: DeviceStatus, reason: string): CloseReason => ({
  action: "stop",
  status,
  reason,
  linkIsGone: false,
});

/**
 * Codes: Baileys' DisconnectReason (lib/Types/index.js) and, at login, the `reason` of the server's `<failure>` stanza.
 * A code that says nothing about the account never costs the link. The same table for people: docs/sockets.md.
 */
const REASONS: Record<number, CloseReason> = {
  401: { action: "stop", status: "logged_out", reason: "logged_out", linkIsGone: true },
  403: stop("error", "banned"),
  405: stop("error", "client_outdated"),
  408: { action: "reconnect", reason: "connection_lost" },
  411: stop("error", "multi_device_off"),
  428: { action: "reconnect", reason: "connection_closed" },
  440: { action: "yield" },
  463: stop("error", "account_restricted"),
  500: { action: "reconnect", reason: "stream_error" },
  503: { action: "reconnect", reason: "service_unavailable" },
  515: { action: "restart" },
};

/** While linking, 408 means that nobody scanned any of the QR codes: new ones would be shown to nobody. */
const QR_EXPIRED = stop("disconnected", "qr_expired");

/**
 * The meaning of a socket's end.
 * @param code undefined where no code came with the end
 * @param isLinked whether the device has credentials that WhatsApp accepted before
 */
export function closeReason(code: number | undefined, isLinked: boolean): CloseReason {
  if (code === undefined) return { action: "reconnect", reason: "connection_closed" };
  if (code === 408 && !isLinked) return QR_EXPIRED;
  const reason = `closed_${code}`;
  const isRefusal = code >= 400 && code < 500;
  return REASONS[code] ?? { action: "reconnect", reason, ...(isRefusal && { isDoubtful: true }) };
}
