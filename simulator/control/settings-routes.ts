import { Hono } from "hono";
import * as z from "zod";
import { capNewChats, restrict } from "../answers/account-standing.ts";
import { changeAbout } from "../answers/own-settings.ts";
import { changePicture } from "../answers/picture.ts";
import type { Network } from "../network/network.ts";
import { routeChatState } from "../network/route-presence.ts";
import { pnJid } from "../wire/jid.ts";
import { node } from "../wire/node.ts";
import { ControlError } from "./errors.ts";
import { accountInPath, findAccount } from "./find-account.ts";
import { groupId, phoneNumber, readBody, withoutUndefined } from "./input.ts";

const MAX_PICTURE_CHARACTERS = 700_000;

const business = z.strictObject({
  address: z.string().max(1_000).optional(),
  description: z.string().max(1_000).optional(),
  website: z.string().max(1_000).optional(),
  email: z.string().max(1_000).optional(),
});
const time = z.int().min(0).max(100_000_000_000);
const settings = z.strictObject({
  autoDelivered: z.boolean().optional(),
  autoRead: z.boolean().optional(),
  online: z.boolean().optional(),
  presence: z.enum(["available", "unavailable"]).optional(),
  typing: z
    .strictObject({ to: z.union([phoneNumber, groupId]), state: z.enum(["composing", "recording", "paused"]) })
    .optional(),
  about: z.string().max(139).optional(),
  picture: z.base64().max(MAX_PICTURE_CHARACTERS).nullable().optional(),
  blocked: z.array(phoneNumber).max(1_000).optional(),
  privacy: z
    .strictObject({
      readreceipts: z.enum(["all", "none"]).optional(),
      last: z.enum(["all", "none"]).optional(),
      online: z.enum(["all", "match_last_seen"]).optional(),
      profile: z.enum(["all", "none"]).optional(),
      status: z.enum(["all", "none"]).optional(),
      groupadd: z.enum(["all", "contacts", "none"]).optional(),
    })
    .optional(),
  business: business.nullable().optional(),
  numberHidden: z.boolean().optional(),
  restriction: z
    .strictObject({
      type: z
        .string()
        .regex(/^[A-Z_]{1,60}$/)
        .default("BIZ_QUALITY"),
      until: time.optional(),
    })
    .nullable()
    .optional(),
  newChats: z
    .strictObject({
      quota: z.int().min(0).max(1_000_000),
      used: z.int().min(0).max(1_000_000),
      status: z.enum(["NONE", "FIRST_WARNING", "SECOND_WARNING", "CAPPED"]).default("NONE"),
      cycleStart: time.optional(),
      cycleEnd: time.optional(),
    })
    .nullable()
    .optional(),
});

/** `PUT /phones/:phone/settings`: how a phone behaves, and what its owner shows and allows. Only what is named changes. */
export function settingsRoutes(network: Network): Hono {
  const app = new Hono();
  app.put("/:phone/settings", async (context) => {
    const account = accountInPath(network, context);
    const { profile, phone } = account;
    const {
      typing,
      about,
      picture,
      blocked,
      privacy,
      business: firm,
      numberHidden,
      restriction,
      newChats,
      ...behaviour
    } = await readBody(context, settings);
    const others = blocked?.map((number) => findAccount(network, number).number);
    if (typing && !(behaviour.online ?? phone.settings.online)) {
      throw new ControlError(409, "phone_offline", "this phone is not online");
    }
    phone.change(withoutUndefined(behaviour));
    account.presence.refresh();
    if (about !== undefined) changeAbout(network, account, about);
    if (picture !== undefined)
      await changePicture(network, account, picture === null ? undefined : fromBase64(picture));
    if (others) {
      profile.blocked.clear();
      for (const number of others) profile.blocked.add(number);
    }
    for (const [category, value] of Object.entries(withoutUndefined(privacy ?? {}))) {
      profile.privacy.set(category, value);
    }
    if (numberHidden !== undefined) profile.isNumberHidden = numberHidden;
    if (restriction !== undefined) restrict(network, account, restriction ?? undefined);
    if (newChats !== undefined) capNewChats(network, account, newChats ?? undefined);
    if (firm !== undefined) profile.business = firm === null ? undefined : fieldsOf(firm);
    if (typing) routeChatState(network, phone, addressOf(typing.to), [stateNode(typing.state)]);
    network.changed(account);
    return context.json(phone.settings);
  });
  return app;
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, "base64");
}

function fieldsOf(firm: z.output<typeof business>) {
  return Object.entries(withoutUndefined(firm)).map(([name, value]) => node(name, {}, Buffer.from(value)));
}

function addressOf(to: string): string {
  return to.includes("@") ? to : pnJid(to);
}

/** Recording is composing with sound (Baileys Socket/chats.js, `sendPresenceUpdate`). */
function stateNode(state: "composing" | "recording" | "paused") {
  return state === "recording" ? node("composing", { media: "audio" }) : node(state);
}
