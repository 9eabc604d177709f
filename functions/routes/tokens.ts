import * as z from "zod";
import * as tokens from "../../shared/db/tokens.ts";
import { ApiError } from "../../shared/errors.ts";
import { newTokenId } from "../../shared/ids.ts";
import { newToken, repeatableToken, tokenHash, tokenPrefix } from "../../shared/token.ts";
import { findReplay, idempotency, IDEMPOTENCY_REPLAYED, idempotencyKey } from "../idempotency.ts";
import { ownDevices } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import {
  grantedScopes,
  tokenDevices,
  tokenExample,
  tokenExpiry,
  tokenName,
  tokenParams,
  tokenView,
  toTokenView,
} from "../schemas/token.ts";
import { assertWithinRights } from "../within-rights.ts";

const BASE = "/api/auth/tokens";
const tag = "Tokens";
const scope = "account";
/** Of one user, so that a program gone wild cannot fill the table. */
const MAX_TOKENS = 200;

const listTokens = route({
  name: "listTokens",
  method: "get",
  path: BASE,
  tag,
  scope,
  summary: "List one's own tokens",
  description: "Expired ones too, oldest first. What the tokens are is not kept.",
  answers: {
    200: answer({ id: "Daftar token", en: "The tokens" }, z.object({ tokens: z.array(tokenView) }), {
      tokens: [tokenExample],
    }),
  },
  errors: [],
  async handle(_input, { services, caller }) {
    const all = await tokens.list(services.database, caller.userId);
    return { status: 200, data: { tokens: all.map(toTokenView) } };
  },
});

const createToken = route({
  name: "createToken",
  method: "post",
  path: BASE,
  tag,
  scope,
  summary: "Create a token",
  description:
    "`token` is shown in this answer only. A token can do no more than its user, and one that was created with a token no more than that one.",
  headers: z.object({ "idempotency-key": idempotencyKey.optional() }),
  body: z.object({
    name: tokenName,
    scopes: grantedScopes,
    deviceIds: tokenDevices.default(null),
    expiresAt: tokenExpiry.default(null),
  }),
  bodyExample: { name: "Toko online", scopes: ["messages:write"], deviceIds: ["device-001"], expiresAt: null },
  answers: {
    201: answer({ id: "Token berhasil dibuat", en: "The token was created" }, tokenView.extend({ token: z.string() }), {
      ...tokenExample,
      lastUsedAt: null,
      token: "wag_ozAK2_ua0yM39eBvzYVR6YMxs3FJ8Sbb39PGW5syXIo",
    }),
  },
  audit: { action: "token.create", target: "tokenId" },
  errors: ["forbidden", "device_not_found", "limit_reached", "idempotency_mismatch"],
  async handle({ headers, body }, call) {
    const { database, config } = call.services;
    const { userId } = call.caller;
    const once = idempotency(headers["idempotency-key"], call);
    const token = once ? repeatableToken(config.sessionSecret, once.key, once.fingerprint) : newToken();
    const find = (key: string) => tokens.getCreation(database, key);
    const replay = (await findReplay(once, find))?.token;
    if (replay) return { status: 201, data: { ...toTokenView(replay), token }, headers: IDEMPOTENCY_REPLAYED };
    assertWithinRights(call.caller, body);
    await ownDevices(call, body.deviceIds ?? []);
    if ((await tokens.list(database, userId)).length >= MAX_TOKENS) throw new ApiError("limit_reached");
    const tokenId = newTokenId();
    const secret = { prefix: tokenPrefix(token), hash: tokenHash(token) };
    const row = { ...body, ...secret, tokenId, userId, ...(once && { idempotency: once }) };
    const isNew = await tokens.create(database, row);
    const made = isNew ? await tokens.get(database, userId, tokenId) : (await findReplay(once, find))?.token;
    if (!made) throw new Error(`the row of token ${tokenId} has vanished`);
    return { status: 201, data: { ...toTokenView(made), token }, ...(!isNew && { headers: IDEMPOTENCY_REPLAYED }) };
  },
});

const changeToken = route({
  name: "changeToken",
  method: "put",
  path: `${BASE}/:id`,
  tag,
  scope,
  summary: "Change a token",
  description: "What is not given stays. The token itself stays the same.",
  params: tokenParams,
  body: z.object({
    name: tokenName.optional(),
    scopes: grantedScopes.optional(),
    deviceIds: tokenDevices.optional(),
    expiresAt: tokenExpiry.optional(),
  }),
  bodyExample: { expiresAt: "2126-12-31T17:00:00Z" },
  answers: { 200: answer({ id: "Token berhasil diubah", en: "The token was changed" }, tokenView, tokenExample) },
  audit: { action: "token.change", target: "tokenId" },
  errors: ["token_not_found", "forbidden", "device_not_found"],
  async handle({ params, body }, call) {
    const { database } = call.services;
    const { userId } = call.caller;
    const token = await tokens.get(database, userId, params.id);
    if (!token) throw new ApiError("token_not_found");
    const changed = {
      ...token,
      ...(body.name !== undefined && { name: body.name }),
      ...(body.scopes && { scopes: body.scopes }),
      ...(body.deviceIds !== undefined && { deviceIds: body.deviceIds }),
      ...(body.expiresAt !== undefined && { expiresAt: body.expiresAt }),
    };
    assertWithinRights(call.caller, changed);
    await ownDevices(call, body.deviceIds ?? []);
    await tokens.update(database, userId, changed);
    return { status: 200, data: toTokenView(changed) };
  },
});

const revokeToken = route({
  name: "revokeToken",
  method: "delete",
  path: `${BASE}/:id`,
  tag,
  scope,
  summary: "Revoke a token",
  description: "At once and for good.",
  params: tokenParams,
  answers: {
    200: answer({ id: "Token berhasil dicabut", en: "The token was revoked" }, z.object({ tokenId: z.string() }), {
      tokenId: tokenExample.tokenId,
    }),
  },
  audit: { action: "token.revoke", target: "tokenId" },
  errors: ["token_not_found"],
  async handle({ params }, { services, caller }) {
    const isRevoked = await tokens.revoke(services.database, caller.userId, params.id);
    if (!isRevoked) throw new ApiError("token_not_found");
    return { status: 200, data: { tokenId: params.id } };
  },
});

export const tokenRoutes: Route[] = [listTokens, createToken, changeToken, revokeToken];
