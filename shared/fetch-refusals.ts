import type { ErrorCode } from "./errors.ts";

type Entry = { code: ErrorCode; id: string; en: string };

/**
 * Why a URL that somebody gave us was not fetched: the error code that a route answers, and the sentence for its
 * details. The reasons are stable. Nothing here tells apart what is at an inside address from what is not.
 */
export const fetchRefusals = {
  url_invalid: {
    code: "url_not_allowed",
    id: "bukan URL yang benar, atau lebih dari 2048 karakter",
    en: "is not a URL, or has more than 2048 characters",
  },
  scheme_not_allowed: {
    code: "url_not_allowed",
    id: "harus diawali http:// atau https://",
    en: "must begin with http:// or https://",
  },
  user_info: {
    code: "url_not_allowed",
    id: "tidak boleh memuat nama pengguna atau kata sandi",
    en: "must not contain a user name or a password",
  },
  port_not_allowed: {
    code: "url_not_allowed",
    id: "port harus 80, 443, atau di atas 1023",
    en: "the port must be 80, 443 or above 1023",
  },
  inside_address: {
    code: "url_not_allowed",
    id: "mengarah ke alamat di dalam jaringan",
    en: "leads to an address inside the network",
  },
  too_many_redirects: {
    code: "url_fetch_failed",
    id: "terlalu banyak pengalihan",
    en: "redirects too often",
  },
  unknown_host: { code: "url_fetch_failed", id: "host tidak ditemukan", en: "there is no such host" },
  unreachable: {
    code: "url_fetch_failed",
    id: "server tidak menjawab dengan benar",
    en: "the server does not answer, or not as HTTP with a valid certificate",
  },
  timeout: { code: "url_fetch_failed", id: "server terlalu lama menjawab", en: "the server takes too long" },
  broken_off: {
    code: "url_fetch_failed",
    id: "jawaban server terputus",
    en: "the server's answer ended in the middle",
  },
  too_large: { code: "payload_too_large", id: "berkas terlalu besar", en: "what the server sends is too large" },
} as const satisfies Record<string, Entry>;

export type FetchRefusal = keyof typeof fetchRefusals;
