import { invalidArgument } from "./errors.ts";
import { keyText } from "./object-key.ts";
import { textElement } from "./xml.ts";

/** How a listing writes keys, by its parameter `encoding-type`, and the element that says so. Throws `InvalidArgument`. */
export function keyEncoder(query: ReadonlyMap<string, string>): { encode: (key: string) => string; element: string[] } {
  const type = query.get("encoding-type");
  if (type === undefined) return { encode: keyText, element: [] };
  if (type !== "url") throw invalidArgument("Invalid Encoding Method specified in Request");
  return { encode: urlEncode, element: [textElement("EncodingType", type)] };
}

/** As S3 does it: a space becomes `+`, `/` and `*` stay. */
function urlEncode(key: string): string {
  return encodeURIComponent(keyText(key))
    .replaceAll("%20", "+")
    .replaceAll("%2F", "/")
    .replace(/[!'()~]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}
