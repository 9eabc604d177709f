/**
 * What is in a WhatsApp message, as the product tells it: in events, in chat histories, in history rows. What does not
 * apply is left out. Keys of media never appear here.
 */
import * as z from "zod";

const jid = (description: string) => z.string().meta({ description });
const positive = z.int().min(0);

/** Another message that this one is about. */
export const messageTarget = z
  .object({
    messageId: z.string(),
    fromMe: z.boolean().meta({ description: "That message was written by this account." }),
    sender: jid("Who wrote that message, where the protocol says it.").nullable(),
  })
  .meta({ id: "MessageTarget", description: "Another message that this one is about." });
export type MessageTarget = z.infer<typeof messageTarget>;

export const messageMedia = z
  .object({
    mimetype: z.string().nullable(),
    sizeBytes: positive.nullable(),
    sha256: z.string().nullable().meta({ description: "Of the file, hexadecimal." }),
    fileName: z.string().optional(),
    durationSeconds: positive.optional(),
    width: positive.optional(),
    height: positive.optional(),
    isAnimated: z.boolean().optional(),
    status: z
      .literal("pending")
      .optional()
      .meta({ description: "Of a message that has just come: its file is being fetched, ask `url`." }),
    url: z.string().optional().meta({ description: "Where the file is to be had, a path of this API." }),
  })
  .meta({ id: "MessageMedia", description: "What the sender says about the file is not verified." });
export type MessageMedia = z.infer<typeof messageMedia>;

/** What may go with any message. */
const context = {
  mentions: z.array(z.string()).optional().meta({ description: "JIDs of people who are mentioned." }),
  quoted: z
    .object({ messageId: z.string(), sender: z.string().nullable() })
    .optional()
    .meta({ description: "The message that this one answers." }),
  isForwarded: z.literal(true).optional(),
  isViewOnce: z.literal(true).optional(),
  expiresAfterSeconds: positive.optional().meta({ description: "The message disappears after this time." }),
};
export type MessageContext = z.infer<z.ZodObject<typeof context>>;

const withMedia = { media: messageMedia, ...context };
const caption = z.string().optional();
const position = { latitude: z.number(), longitude: z.number() };
const choice = z.object({ id: z.string(), text: z.string() });

export const messageContent = z
  .discriminatedUnion("messageType", [
    z.object({ messageType: z.literal("text"), text: z.string(), ...context }),
    z.object({ messageType: z.literal("image"), caption, ...withMedia }),
    z.object({ messageType: z.literal("video"), caption, ...withMedia }),
    z.object({ messageType: z.literal("gif"), caption, ...withMedia }),
    z.object({ messageType: z.literal("audio"), ...withMedia }),
    z.object({ messageType: z.literal("voice"), ...withMedia }),
    z.object({ messageType: z.literal("document"), caption, ...withMedia }),
    z.object({ messageType: z.literal("sticker"), ...withMedia }),
    z.object({
      messageType: z.literal("location"),
      ...position,
      name: z.string().optional(),
      address: z.string().optional(),
      url: z.string().optional(),
      ...context,
    }),
    z.object({
      messageType: z.literal("live_location"),
      ...position,
      accuracyMeters: positive.optional(),
      caption,
      ...context,
    }),
    z.object({
      messageType: z.literal("contacts"),
      contacts: z.array(z.object({ name: z.string(), vcard: z.string() })),
      ...context,
    }),
    z.object({
      messageType: z.literal("poll"),
      question: z.string(),
      options: z.array(z.string()),
      selectableCount: positive.meta({ description: "How many options one may choose; 0 is any number." }),
      ...context,
    }),
    z.object({
      messageType: z.literal("poll_vote"),
      target: messageTarget.meta({ description: "The poll." }),
      selectedOptions: z.array(z.string()).nullable().meta({
        description: "Empty: the vote was taken back. Null: the poll is not known, so the vote cannot be read.",
      }),
    }),
    z.object({
      messageType: z.literal("reaction"),
      target: messageTarget,
      emoji: z.string().nullable().meta({ description: "Null: the reaction was taken back." }),
    }),
    z.object({
      messageType: z.literal("edit"),
      target: messageTarget,
      text: z.string().meta({ description: "The new text, or the new caption of a media message." }),
      mentions: context.mentions,
    }),
    z.object({ messageType: z.literal("delete"), target: messageTarget }),
    z.object({ messageType: z.literal("pin"), target: messageTarget, isPinned: z.boolean() }),
    z.object({
      messageType: z.literal("disappearing_setting"),
      seconds: positive.meta({
        description: "From now on messages of this chat disappear after this time; 0: they stay.",
      }),
    }),
    z.object({
      messageType: z.literal("group_invite"),
      group: jid("The group that one is invited to."),
      groupName: z.string(),
      inviteCode: z.string(),
      expiresAt: z.iso.datetime().optional(),
      caption,
      ...context,
    }),
    z.object({
      messageType: z.literal("event"),
      name: z.string(),
      description: z.string().optional(),
      startsAt: z.iso.datetime().optional(),
      endsAt: z.iso.datetime().optional(),
      place: z.string().optional(),
      joinLink: z.string().optional(),
      isCanceled: z.boolean(),
      ...context,
    }),
    z.object({ messageType: z.literal("album"), imageCount: positive, videoCount: positive, ...context }),
    z.object({
      messageType: z.literal("buttons"),
      text: z.string(),
      footer: z.string().optional(),
      choices: z.array(choice).meta({ description: "Buttons, or rows of a list, that a business offers." }),
      ...context,
    }),
    z.object({
      messageType: z.literal("interactive"),
      reply: choice.meta({ description: "The button or row that was chosen." }),
      ...context,
    }),
    z.object({
      messageType: z.literal("unsupported"),
      kind: z.string().meta({ description: "As the protocol calls it. The content is not told." }),
      ...context,
    }),
  ])
  .meta({ id: "MessageContent" });
export type MessageContent = z.infer<typeof messageContent>;
export type MessageType = MessageContent["messageType"];

/**
 * A person has a phone number and a LID; either may be unknown. `jid` is the phone number's where it is known, so that
 * one person has one address.
 */
export const addresses = z
  .object({ jid: z.string(), phone: z.string().nullable(), lid: z.string().nullable() })
  .meta({ id: "Addresses", description: "Of a person; `jid` is the phone number's where it is known." });
export type Addresses = z.infer<typeof addresses>;

export const person = addresses
  .extend({ name: z.string().nullable().meta({ description: "As they call themselves." }) })
  .meta({ id: "Person" });
export type Person = z.infer<typeof person>;
