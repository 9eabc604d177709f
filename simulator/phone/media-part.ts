import type { proto } from "@whiskeysockets/baileys";

export type MediaKind = "image" | "video" | "audio" | "document" | "sticker";

/** What all kinds of media messages have in common. */
export type MediaFields = Pick<
  proto.Message.IDocumentMessage,
  "url" | "directPath" | "mimetype" | "mediaKey" | "fileSha256" | "fileEncSha256" | "fileLength" | "fileName"
>;

export type MediaPart = {
  /** As an inbox calls it. */
  type: string;
  /** As which its bytes are encrypted. */
  kind: MediaKind;
  part: MediaFields;
};

const KINDS: [keyof proto.IMessage, type: string, kind: MediaKind][] = [
  ["imageMessage", "image", "image"],
  ["videoMessage", "video", "video"],
  ["ptvMessage", "video", "video"],
  ["audioMessage", "audio", "audio"],
  ["documentMessage", "document", "document"],
  ["stickerMessage", "sticker", "sticker"],
];

/** The picture, video, sound, document or sticker in a message that is out of its wrappings. */
export function mediaOf(content: proto.IMessage): MediaPart | undefined {
  for (const [name, type, kind] of KINDS) {
    const part = content[name] as MediaFields | null | undefined;
    if (part) return { type, kind, part };
  }
  return undefined;
}
