import type { FetchRefusal } from "./fetch-refusals.ts";

export const MAX_URL_LENGTH = 2048;

/**
 * What can be seen of a URL that a user gives before anything is asked; where its host is, the guarded fetch sees.
 * @returns the URL, or why it will never be fetched
 */
export function allowedUrl(text: string, base?: URL): URL | FetchRefusal {
  if (text.length > MAX_URL_LENGTH || !URL.canParse(text, base)) return "url_invalid";
  const url = new URL(text, base);
  if (url.protocol !== "http:" && url.protocol !== "https:") return "scheme_not_allowed";
  if (url.username || url.password) return "user_info";
  const isAllowedPort = url.port === "" || url.port === "80" || url.port === "443" || Number(url.port) > 1023;
  return isAllowedPort ? url : "port_not_allowed";
}
