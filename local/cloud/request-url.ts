import { AwsError } from "./aws-error.ts";

/** What a request names, decoded once. `new URL` is of no use here: it would resolve `..` inside object keys. */
export type RequestUrl = {
  path: string;
  /** As it was sent. */
  encodedPath: string;
  query: ReadonlyMap<string, string>;
};

/** Throws `InvalidURI` for percent forms that are not UTF-8. */
export function parseRequestUrl(url: string): RequestUrl {
  const mark = url.indexOf("?");
  const encodedPath = mark === -1 ? url : url.slice(0, mark);
  const search = mark === -1 ? "" : url.slice(mark + 1);
  const query = new Map<string, string>();
  for (const pair of search.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    const value = equals === -1 ? "" : pair.slice(equals + 1);
    query.set(decode(name.replaceAll("+", " ")), decode(value.replaceAll("+", " ")));
  }
  return { path: decode(encodedPath), encodedPath, query };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError("InvalidURI", 400, "Couldn't parse the specified URI.");
  }
}

/** Percent-encodes everything but A-Z a-z 0-9 - . _ ~ (Signature Version 4, "UriEncode"). */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}
