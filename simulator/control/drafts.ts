import * as z from "zod";
import type { Network } from "../network/network.ts";
import type { Account } from "../network/account.ts";
import type { Chat } from "../phone/chat.ts";
import type { Draft } from "../phone/compose.ts";
import { uploadMedia } from "../phone/upload-media.ts";
import { findAccount } from "./find-account.ts";
import { chatId, phoneNumber } from "./input.ts";

const MAX_TEXT = 65_536; // as long as WhatsApp lets a message be
const messageId = z.string().min(1).max(100);
const text = z.string().min(1).max(MAX_TEXT);
const options = z.array(z.string().min(1).max(100));

const KINDS = ["text", "media", "reaction", "edit", "delete", "poll", "vote", "location", "contact"] as const;

/** The body of `POST /phones/:phone/messages`: one of the kinds, to one chat. */
export const messageOrder = z
  .strictObject({
    to: chatId,
    text: text.optional(),
    media: z
      .strictObject({
        mimetype: z.string().regex(/^[a-z]+\/[\w.+-]+(;.*)?$/, "must be like image/png"),
        base64: z.base64().min(1, "must not be empty"),
        caption: z.string().max(MAX_TEXT).optional(),
        fileName: z.string().min(1).max(255).optional(),
      })
      .optional(),
    reaction: z.strictObject({ messageId, emoji: z.string().max(32) }).optional(),
    edit: z.strictObject({ messageId, text }).optional(),
    delete: z.strictObject({ messageId }).optional(),
    poll: z
      .strictObject({
        name: z.string().min(1).max(255),
        options: options.min(2).max(12),
        selectable: z.int().min(0).max(12).default(1),
      })
      .optional(),
    vote: z.strictObject({ messageId, options: options.max(12) }).optional(),
    location: z
      .strictObject({
        latitude: z.number().min(-90).max(90),
        longitude: z.number().min(-180).max(180),
        name: z.string().min(1).max(1_000).optional(),
        address: z.string().min(1).max(1_000).optional(),
      })
      .optional(),
    contact: z.strictObject({ name: z.string().min(1).max(100), phone: phoneNumber }).optional(),
    replyTo: messageId.optional(),
    mentions: z.array(phoneNumber).max(1_024).optional(),
    viewOnce: z.boolean().optional(),
    ephemeralSeconds: z.int().min(0).max(31_536_000).optional(),
    addressing: z.enum(["pn", "lid"]).default("pn"),
    copies: z.int().min(1).max(10).default(1),
  })
  .superRefine((order, context) => {
    const given = KINDS.filter((kind) => order[kind] !== undefined);
    const expect = (isFine: boolean, field: string, message: string) => {
      if (!isFine) context.addIssue({ code: "custom", path: [field], message });
    };
    expect(given.length === 1, "body", `must have exactly one of ${KINDS.join(", ")}`);
    const [kind] = given;
    expect(order.replyTo === undefined || kind === "text" || kind === "media", "replyTo", "is for text and media");
    expect(order.mentions === undefined || kind === "text", "mentions", "is for text");
    expect(order.viewOnce === undefined || kind === "media", "viewOnce", "is for media");
  });

export type MessageOrder = z.output<typeof messageOrder>;

/** What the person wants to write. Uploads the file, if there is one. Throws a 404 for people who are mentioned and unknown. */
export async function toDraft(network: Network, account: Account, chat: Chat, order: MessageOrder): Promise<Draft> {
  const { replyTo } = order;
  if (order.media) {
    const { mimetype, base64, caption, fileName } = order.media;
    const bytes = Buffer.from(base64, "base64");
    return {
      kind: "media",
      ...(await uploadMedia(network, account, chat, { mimetype, bytes, fileName })),
      caption,
      replyTo,
    };
  }
  if (order.reaction) return { kind: "reaction", ...order.reaction };
  if (order.edit) return { kind: "edit", ...order.edit };
  if (order.delete) return { kind: "delete", ...order.delete };
  if (order.poll) return { kind: "poll", ...order.poll };
  if (order.vote) return { kind: "vote", ...order.vote };
  if (order.location) return { kind: "location", ...order.location };
  if (order.contact) return { kind: "contact", ...order.contact };
  const mentions = order.mentions?.map((number) => findAccount(network, number));
  return { kind: "text", text: order.text ?? "", replyTo, mentions };
}
