import type { DeviceStatus } from "../shared/device-status.ts";

/** What the host does about a closed socket, and what the device shows meanwhile. */
export type CloseReason =
  /** Open a new socket at once: an ordinary step of linking. */
  | { action: "restart" }
  /** Open a new socket after a delay. */
  | { action: "reconnect"; reason: string }
  /** Leave it closed until somebody asks. `linkIsGone`: the credentials are worth nothing any more. */
  | { action: "stop"; status: DeviceStatus; reason: string; linkIsGone: boolean };

/**
 * Codes: Baileys' DisconnectReason (lib/Types/index.js) and, at login, the `reason` of the server's `<failure>` stanza.
 * A code that says nothing about the account never costs the link.
 */
const REASONS: Record<number, CloseReason> = {
  401: { action: "stop", status: "logged_out", reason: "logged_out", linkIsGone: true },
  403: { action: "stop", status: "error", reason: "banned", linkIsGone: false },
  405: { action: "stop", status: "error", reason: "client_outdated", linkIsGone: false },
  408: { action: "reconnect", reason: "connection_lost" },
  411: { action: "stop", status: "error", reason: "multi_device_off", linkIsGone: false },
  428: { action: "reconnect", reason: "connection_closed" },
  // Another connection uses these credentials. Two that both reconnect would end each other for ever.
  440: { action: "stop", status: "disconnected", reason: "replaced", linkIsGone: false },
  500: { action: "reconnect", reason: "stream_error" },
  503: { action: "reconnect", reason: "service_unavailable" },
  515: { action: "restart" },
};

/** While linking, 408 means that nobody scanned any of the QR codes: new ones would be shown to nobody. */
const QR_EXPIRED: CloseReason = { action: "stop", status: "disconnected", reason: "qr_expired", linkIsGone: false };

/**
 * The meaning of a socket's end.
 * @param code undefined where no code came with the end
 * @param isLinked whether the device has credentials that WhatsApp accepted before
 */
export function closeReason(code: number | undefined, isLinked: boolean): CloseReason {
  if (code === undefined) return { action: "reconnect", reason: "connection_closed" };
  if (code === 408 && !isLinked) return QR_EXPIRED;
  return REASONS[code] ?? { action: "reconnect", reason: `closed_${code}` };
}
