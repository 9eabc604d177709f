import type { proto } from "@whiskeysockets/baileys";
import type { MessageContent, MessageMedia } from "../../../shared/message.ts";
import { messageContext, numberOf, present } from "./message-parts.ts";

/** What the kinds of media messages have in common, all of it as the sender says. */
type MediaPart = Pick<
  proto.Message.IDocumentMessage,
  "mimetype" | "fileLength" | "fileSha256" | "fileName" | "mediaKey" | "directPath" | "url"
> &
  Partial<Pick<proto.Message.IVideoMessage, "seconds" | "width" | "height" | "caption" | "contextInfo" | "viewOnce">> &
  Partial<Pick<proto.Message.IStickerMessage, "isAnimated">>;

/** `message` is the whole, whose wrappings tell whether it may be seen once only; `content` what is inside them. */
export function attachedMedia(message: proto.IMessage, content: proto.IMessage): MessageContent | undefined {
  const found = partOf(content);
  if (!found) return undefined;
  const [messageType, part] = found;
  const common = { media: mediaOf(part), ...messageContext(part.contextInfo) };
  const once = isViewOnce(message, part) ? { isViewOnce: true as const } : {};
  return messageType === "audio" || messageType === "voice" || messageType === "sticker"
    ? { messageType, ...common, ...once }
    : { messageType, ...present({ caption: part.caption }), ...common, ...once };
}

type MediaType = "image" | "video" | "gif" | "audio" | "voice" | "document" | "sticker";

/** What of a message out of its wrappings is its file, and which kind that is. */
export function partOf(content: proto.IMessage): [MediaType, MediaPart] | undefined {
  const { imageMessage, videoMessage, ptvMessage, audioMessage, documentMessage } = content;
  const sticker = content.stickerMessage ?? content.lottieStickerMessage?.message?.stickerMessage;
  if (imageMessage) return ["image", imageMessage];
  if (videoMessage) return [videoMessage.gifPlayback ? "gif" : "video", videoMessage];
  if (ptvMessage) return ["video", ptvMessage];
  if (audioMessage) return [audioMessage.ptt ? "voice" : "audio", audioMessage];
  if (documentMessage) return ["document", documentMessage];
  return sticker ? ["sticker", sticker] : undefined;
}

function mediaOf({ mimetype, fileLength, fileSha256, fileName, ...more }: MediaPart): MessageMedia {
  return {
    mimetype: mimetype || null,
    sizeBytes: numberOf(fileLength) || null,
    sha256: fileSha256?.length ? Buffer.from(fileSha256).toString("hex") : null,
    ...present({ fileName, isAnimated: more.isAnimated }),
    ...present({
      durationSeconds: numberOf(more.seconds) || undefined,
      width: numberOf(more.width) || undefined,
      height: numberOf(more.height) || undefined,
    }),
  };
}

function isViewOnce(message: proto.IMessage, part: MediaPart): boolean {
  const own = message.deviceSentMessage?.message ?? message;
  const inner = own.ephemeralMessage?.message ?? own;
  return Boolean(
    inner.viewOnceMessage ?? inner.viewOnceMessageV2 ?? inner.viewOnceMessageV2Extension ?? part.viewOnce === true,
  );
}
