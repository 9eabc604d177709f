import type { ServerResponse } from "node:http";
import { malformedXml } from "./errors.ts";

export function sendXml(response: ServerResponse, status: number, root: string): void {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${root}`);
  response.writeHead(status, { "content-type": "application/xml", "content-length": body.length });
  response.end(body);
}

/** The root of an answer, with the namespace of S3. */
export function s3Document(name: string, children: readonly string[]): string {
  return `<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${children.join("")}</${name}>`;
}

/** An element with text. */
export function textElement(name: string, text: string | number | boolean): string {
  return `<${name}>${escapeText(String(text))}</${name}>`;
}

function escapeText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- parsers would drop or change these as they are
  return text.replace(/[&<>"'\u0000-\u001f\u007f-\u009f]/g, (character) => `&#${character.charCodeAt(0)};`);
}

export type XmlElement = { name: string; text: string; children: XmlElement[] };

const TOKEN = /<\?[^]*?\?>|<!--[^]*?-->|<!\[CDATA\[([^]*?)\]\]>|<(\/?)([\w:.-]+)(?:\s[^<>]*?)?(\/?)>|([^<]+)/y;

/** Parses the small documents that S3 requests carry: elements and text; attributes are skipped. Throws `MalformedXML`. */
export function parseXml(document: string): XmlElement {
  const top: XmlElement = { name: "", text: "", children: [] };
  const open = [top];
  const token = new RegExp(TOKEN);
  while (token.lastIndex < document.length) {
    const match = token.exec(document);
    const current = open.at(-1);
    if (!match || !current) throw malformedXml();
    const [, cdata, closing, name, empty, text] = match;
    if (cdata !== undefined) current.text += cdata;
    else if (text !== undefined) current.text += unescapeText(text);
    else if (name !== undefined && closing === "/") {
      if (current.name !== name || open.length === 1) throw malformedXml();
      open.pop();
    } else if (name !== undefined) {
      const element = { name, text: "", children: [] };
      current.children.push(element);
      if (empty === "") open.push(element);
    }
  }
  const [root] = top.children;
  if (!root || top.children.length > 1 || open.length > 1 || top.text.trim() !== "") throw malformedXml();
  return root;
}

/** The text of a child, if there is one. */
export function childText({ children }: XmlElement, name: string): string | undefined {
  return children.find((child) => child.name === name)?.text;
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeText(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));|&/gi,
    (_, decimal?: string, hex?: string, name?: string) => {
      const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      if (code >= 0 && code <= 0x10_ffff) return String.fromCodePoint(code);
      const entity = ENTITIES[name ?? ""];
      if (entity === undefined) throw malformedXml();
      return entity;
    },
  );
}
