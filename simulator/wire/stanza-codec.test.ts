import { deflateSync } from "node:zlib";
import { decodeBinaryNode, encodeBinaryNode } from "@whiskeysockets/baileys";
import { TOKEN_MAP } from "@whiskeysockets/baileys/lib/WABinary/constants.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeStanza } from "./decode-stanza.ts";
import { encodeStanza } from "./encode-stanza.ts";
import { Malformed } from "./malformed.ts";
import { node, type BinaryNode } from "./node.ts";

const SEED = 4;
const SERVERS = ["s.whatsapp.net", "lid", "g.us", "hosted", "hosted.lid", "newsletter"];
/** Baileys takes what every object has (`constructor`) for words of its dictionaries. */
const free = fc.string({ unit: "binary", maxLength: 300 }).filter((text) => text !== "" && !(text in {}));
const packable = (characters: string) =>
  fc.string({ unit: fc.constantFrom(...Array.from(characters)), minLength: 1, maxLength: 130 });
const jid = fc
  .tuple(packable("0123456789"), fc.option(fc.integer({ min: 0, max: 255 })), fc.constantFrom(...SERVERS))
  .map(([user, device, server]) => (device === null ? `${user}@${server}` : `${user}:${device}@${server}`));
const text = fc.oneof(
  free,
  jid,
  packable("0123456789-."),
  packable("0123456789ABCDEF"),
  fc.constantFrom("", "@s.whatsapp.net", ...Object.keys(TOKEN_MAP)),
);
const bytes = fc.uint8Array({ maxLength: 600 });
const { stanza } = fc.letrec<{ stanza: BinaryNode }>((tie) => ({
  stanza: fc
    .record({
      tag: fc.constantFrom("message", "iq", "enc", "to", "x-unknown"),
      attrs: fc.dictionary(fc.constantFrom("id", "to", "type", "t", "made-up"), text),
      content: fc.option(
        fc.oneof({ maxDepth: 3 }, { weight: 3, arbitrary: bytes }, fc.array(tie("stanza"), { maxLength: 4 })),
      ),
    })
    .map(({ tag, attrs, content }) => node(tag, attrs, content ?? undefined)),
}));

describe("stanzas on the wire", () => {
  test("are written to the byte as Baileys writes them, and read as Baileys reads them", async () => {
    const property = fc.asyncProperty(stanza, async (each) => {
      const encoded = encodeBinaryNode(each);
      expect(encodeStanza(each).equals(encoded)).toBe(true);
      expect(plain(decodeStanza(encoded))).toEqual(plain(await decodeBinaryNode(encoded)));
    });
    await fc.assert(property, { seed: SEED, numRuns: 150 });
  });

  test.each([
    ["more children than a short list", Array.from({ length: 300 }, (_, at) => node("item", { id: String(at) }))],
    ["a mebibyte and more", Buffer.alloc((1 << 20) + 1, 7)],
  ])("may have %s", (_, content) => {
    const large = node("list", {}, content);
    const encoded = encodeStanza(large);
    expect(encoded.equals(encodeBinaryNode(large))).toBe(true);
    expect(encodeStanza(decodeStanza(encoded)).equals(encoded)).toBe(true);
  });

  test("may be compressed", () => {
    const encoded = encodeStanza(node("iq", { id: "1" }));
    const compressed = Buffer.concat([Buffer.of(2), deflateSync(encoded.subarray(1))]);
    expect(decodeStanza(compressed)).toEqual(node("iq", { id: "1" }));
  });

  test("are refused as malformed when they end too early, wherever that is", () => {
    const encoded = encodeStanza(
      node("message", { id: "3EB0AB", to: "15550000001:2@lid" }, [node("enc", {}, Buffer.alloc(300))]),
    );
    for (let length = 0; length < encoded.length; length++) {
      expect(() => decodeStanza(encoded.subarray(0, length))).toThrow(Malformed);
    }
  });

  test.each([
    ["a list in which nothing ends", Buffer.from([0, ...Array.from({ length: 60 }, () => [248, 2, 3, 248, 1]).flat()])],
    ["a text of a kind that clients do not write", Buffer.from([0, 248, 1, 246])],
    ["no list", Buffer.from([0, 3])],
    ["what cannot be inflated", Buffer.from([2, 1, 2, 3])],
    ["more than 32 MiB when inflated", Buffer.concat([Buffer.of(2), deflateSync(Buffer.alloc(33 * 1024 * 1024))])],
  ])("are refused as malformed: %s", (_, encoded) => {
    expect(() => decodeStanza(encoded)).toThrow(Malformed);
  });
});

/** Bytes as bytes, and no content where there is none. */
function plain({ tag, attrs, content }: BinaryNode): BinaryNode {
  if (Array.isArray(content)) return { tag, attrs, content: content.map(plain) };
  if (content === undefined || typeof content === "string") return node(tag, attrs, content);
  return { tag, attrs, content: Uint8Array.from(content) };
}
