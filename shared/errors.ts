/**
 * The one table of errors: code → HTTP status and the sentence a person reads, Indonesian first. Codes are stable:
 * clients branch on them. `docs/status-codes.md` tells when each is used.
 */
type Entry = { status: number; id: string; en: string };

export const errors = {
  validation_failed: { status: 400, id: "Permintaan tidak valid", en: "The request is not valid" },
  malformed_json: { status: 400, id: "Isi permintaan bukan JSON yang benar", en: "The request body is not valid JSON" },
  invalid_phone: { status: 400, id: "Nomor telepon tidak valid", en: "The phone number is not valid" },
  url_not_allowed: {
    status: 400,
    id: "URL tersebut tidak boleh diambil",
    en: "That URL may not be fetched",
  },
  unauthorized: { status: 401, id: "Token tidak ada atau tidak berlaku", en: "The token is missing or not valid" },
  insufficient_scope: {
    status: 403,
    id: "Token tidak mempunyai izin untuk ini",
    en: "The token has no permission for this",
  },
  forbidden: { status: 403, id: "Tidak diizinkan", en: "Not allowed" },
  group_forbidden: {
    status: 403,
    id: "Akun ini bukan anggota grup, atau tidak berhak melakukannya di grup itu",
    en: "This account is not in the group, or may not do this in it",
  },
  login_failed: {
    status: 401,
    id: "Nama pengguna atau kata sandi salah",
    en: "The user name or the password is wrong",
  },
  wrong_password: { status: 403, id: "Kata sandi sekarang salah", en: "The current password is wrong" },
  cross_site: {
    status: 403,
    id: "Permintaan dengan cookie harus berasal dari halaman server ini sendiri",
    en: "A request with the login cookie must come from a page of this server",
  },
  route_not_found: { status: 404, id: "Alamat tidak ditemukan", en: "There is no such route" },
  method_not_allowed: { status: 405, id: "Metode tidak berlaku untuk alamat ini", en: "There is no such method here" },
  device_not_found: { status: 404, id: "Device tidak ditemukan", en: "There is no such device" },
  qr_not_available: { status: 404, id: "QR Code tidak tersedia", en: "There is no QR code" },
  job_not_found: { status: 404, id: "Pekerjaan tidak ditemukan", en: "There is no such job" },
  schedule_not_found: {
    status: 404,
    id: "Pesan terjadwal tidak ditemukan",
    en: "There is no such scheduled message",
  },
  command_not_found: { status: 404, id: "Perintah tidak ditemukan", en: "There is no such command" },
  user_not_found: { status: 404, id: "Pengguna tidak ditemukan", en: "There is no such user" },
  token_not_found: { status: 404, id: "Token tidak ditemukan", en: "There is no such token" },
  group_not_found: { status: 404, id: "Grup tidak ditemukan", en: "There is no such group" },
  media_not_found: {
    status: 404,
    id: "Media tidak ditemukan atau sudah kedaluwarsa",
    en: "There is no such media, or not any more",
  },
  message_not_found: { status: 404, id: "Pesan tidak ditemukan", en: "There is no such message" },
  webhook_not_found: { status: 404, id: "Webhook tidak ditemukan", en: "There is no such webhook" },
  delivery_not_found: { status: 404, id: "Pengiriman tidak ditemukan", en: "There is no such delivery" },
  chatbot_not_found: { status: 404, id: "Chatbot tidak ditemukan", en: "There is no such chatbot" },
  session_not_found: { status: 404, id: "Sesi tidak ditemukan", en: "There is no such session" },
  allowed_number_not_found: {
    status: 404,
    id: "Nomor yang diizinkan tidak ditemukan",
    en: "There is no such allowed number",
  },
  webhook_disabled: {
    status: 409,
    id: "Webhook tidak aktif",
    en: "The webhook is disabled",
  },
  chatbot_exists: {
    status: 409,
    id: "Pengirim tersebut sudah mempunyai chatbot pada sesi ini",
    en: "That sender has a chatbot on this session already",
  },
  number_exists: { status: 409, id: "Nomor sudah terdaftar", en: "The number is in the list already" },
  username_taken: { status: 409, id: "Nama pengguna sudah dipakai", en: "The user name is taken" },
  user_has_devices: {
    status: 409,
    id: "Pengguna masih mempunyai device",
    en: "The user still has devices",
  },
  last_admin: {
    status: 409,
    id: "Harus ada setidaknya satu administrator yang aktif",
    en: "At least one active administrator must remain",
  },
  limit_reached: { status: 409, id: "Batas jumlah sudah tercapai", en: "There are as many as there may be" },
  device_exists: { status: 409, id: "Device sudah ada", en: "The device exists already" },
  not_connected: { status: 409, id: "WhatsApp tidak terhubung", en: "WhatsApp is not connected" },
  already_registered: { status: 409, id: "Device sudah tertaut", en: "The device is linked already" },
  media_not_uploaded: { status: 409, id: "Berkas belum diunggah", en: "The file has not been uploaded yet" },
  job_has_ended: { status: 409, id: "Pekerjaan sudah berakhir", en: "The job has ended" },
  schedule_has_ended: {
    status: 409,
    id: "Pesan terjadwal sudah dikirim atau berakhir",
    en: "The scheduled message was sent or has ended",
  },
  idempotency_mismatch: {
    status: 409,
    id: "Idempotency-Key sudah dipakai untuk permintaan lain",
    en: "The Idempotency-Key was used for another request",
  },
  media_unavailable: {
    status: 410,
    id: "Berkas pesan ini tidak dapat diambil",
    en: "The file of that message cannot be had",
  },
  payload_too_large: { status: 413, id: "Isi permintaan terlalu besar", en: "The request body is too large" },
  unsupported_media_type: {
    status: 415,
    id: "Content-Type harus application/json",
    en: "The content type must be application/json",
  },
  media_type_not_allowed: {
    status: 415,
    id: "Jenis berkas ini tidak diterima",
    en: "Files of that type are not taken",
  },
  media_type_mismatch: {
    status: 422,
    id: "Isi berkas tidak cocok dengan mediaType",
    en: "The content of the file does not fit the mediaType",
  },
  not_on_whatsapp: { status: 422, id: "Nomor tidak terdaftar di WhatsApp", en: "The number is not on WhatsApp" },
  recipient_restricted: {
    status: 422,
    id: "WhatsApp membatasi akun ini untuk menulis ke penerima tersebut",
    en: "WhatsApp does not let this account write to that recipient",
  },
  refused_by_whatsapp: { status: 422, id: "WhatsApp menolak permintaan ini", en: "WhatsApp refused the request" },
  schedule_time_past: { status: 422, id: "Waktu tersebut sudah lewat", en: "That time is over" },
  schedule_time_skipped: {
    status: 422,
    id: "Waktu tersebut tidak ada di zona itu",
    en: "That time does not exist in that zone",
  },
  url_fetch_failed: { status: 422, id: "URL tersebut tidak dapat diambil", en: "That URL could not be fetched" },
  too_many_requests: { status: 429, id: "Terlalu banyak permintaan", en: "Too many requests" },
  internal: { status: 500, id: "Kesalahan pada server", en: "Internal error" },
  unavailable: { status: 503, id: "Layanan sedang tidak tersedia", en: "The service is not available" },
  media_upload_failed: {
    status: 503,
    id: "Server media WhatsApp tidak menerima berkas",
    en: "WhatsApp's media server did not take the file",
  },
  expired: {
    status: 504,
    id: "Perintah kedaluwarsa sebelum sempat dijalankan",
    en: "The command expired before it could be begun",
  },
  outcome_unknown: {
    status: 504,
    id: "Sambungan berakhir sebelum WhatsApp menjawab; pesan atau perubahan mungkin sudah sampai",
    en: "The connection ended before WhatsApp answered; the message or change may have arrived",
  },
  host_timeout: {
    status: 504,
    id: "Socket host tidak menjawab tepat waktu",
    en: "The socket host did not answer in time",
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof errors;
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errors, code);

/** One wrong field of a request. `path` is dotted and begins with where it stood: `body.to`, `query.limit`, `params.deviceId`. */
export type ErrorDetail = { path: string; message: string };

/** Ends a request with the answer of its code. Only the HTTP side throws it; everything below returns outcomes. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  readonly details: ErrorDetail[] | undefined;
  /** For 429 and 503, where it is known when to try again. */
  readonly retryAfterSeconds: number | undefined;
  constructor(code: ErrorCode, details?: ErrorDetail[], retryAfterSeconds?: number) {
    super(errors[code].en);
    this.code = code;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
