import * as z from "zod";
import type { Token } from "../../shared/db/tokens.ts";
import type { TokenId } from "../../shared/ids.ts";
import { EVERY_SCOPE, SCOPES } from "../../shared/scopes.ts";
import type { BrokenRule } from "../issue.ts";
import { deviceId } from "./device.ts";

const MAX_DEVICES = 100;
const PAST: BrokenRule = { sentence: { id: "harus di masa depan", en: "must be in the future" } };

export const tokenParams = z.object({
  id: z
    .string()
    .regex(/^\w{1,40}$/)
    .transform((value) => value as TokenId),
});

export const tokenName = z.string().min(1).max(100);
export const grantedScopes = z
  .array(z.enum([EVERY_SCOPE, ...SCOPES]))
  .min(1)
  .max(SCOPES.length + 1)
  .meta({
    description:
      "What the token may do; `*` is all that its user may. `write` does not bring `read` with it. `account` is the user's own tokens and password, `admin` other users and the audit log.",
    examples: [["messages:write"]],
  });
export const tokenDevices = z
  .array(deviceId)
  .min(1)
  .max(MAX_DEVICES)
  .nullable()
  .meta({ description: "The only devices that the token is for; null: all that its user may use." });
export const tokenExpiry = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .refine((date) => date > new Date(), { params: PAST })
  .nullable()
  .meta({ description: "When the token ends; null: never." });

const isoTime = z.iso.datetime();
export const tokenView = z
  .object({
    tokenId: z.string(),
    name: z.string(),
    prefix: z.string().meta({ description: "How the token begins, to recognise it by." }),
    scopes: z.array(z.string()),
    deviceIds: z.array(z.string()).nullable(),
    createdAt: isoTime,
    expiresAt: isoTime.nullable(),
    lastUsedAt: isoTime.nullable().meta({ description: "To the minute." }),
  })
  .meta({ id: "Token" });

export const toTokenView = (token: Token): z.input<typeof tokenView> => ({
  tokenId: token.tokenId,
  name: token.name,
  prefix: token.prefix,
  scopes: [...token.scopes],
  deviceIds: token.deviceIds && [...token.deviceIds],
  createdAt: token.createdAt.toISOString(),
  expiresAt: token.expiresAt?.toISOString() ?? null,
  lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
});

export const tokenExample: z.input<typeof tokenView> = {
  tokenId: "tok_019aa1b2c3d4e5f60718293a4b",
  name: "Toko online",
  prefix: "wag_ozAK2_ua",
  scopes: ["messages:write"],
  deviceIds: ["device-001"],
  createdAt: "2026-11-22T03:00:00.000Z",
  expiresAt: null,
  lastUsedAt: "2026-11-22T04:30:00.000Z",
};
