import * as z from "zod";
import * as allowedNumbers from "../../shared/db/allowed-numbers.ts";
import { ALLOWANCES } from "../../shared/db/allowed-numbers.ts";
import type { AllowedNumber } from "../../shared/db/allowed-numbers.ts";
import { ApiError } from "../../shared/errors.ts";
import { findReplay, idempotency, IDEMPOTENCY_REPLAYED, idempotencyKey } from "../idempotency.ts";
import { ownSession } from "../own-session.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { pageQuery, pagination, toPagination } from "../schemas/page.ts";
import { whatsappNumber } from "../schemas/party.ts";
import { rowId } from "../schemas/row-id.ts";
import { sessionId } from "../schemas/session.ts";

const BASE = "/api/whatsapp/allowed-numbers";
const tag = "Allowed numbers";
const scope = "data:write";
const params = z.object({ id: rowId });
const status = z.enum(ALLOWANCES);

const view = z
  .object({
    id: z.int(),
    whatsapp_number: z.string(),
    session_id: z.int(),
    status,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "AllowedNumber" });
const example: z.input<typeof view> = {
  id: 1,
  whatsapp_number: "6281234567890",
  session_id: 1,
  status: "aktif",
  created_at: "2026-11-22T03:00:00.000Z",
  updated_at: "2026-11-22T03:00:00.000Z",
};
const toView = (number: AllowedNumber): z.input<typeof view> => ({
  id: number.allowedId,
  whatsapp_number: number.whatsappNumber,
  session_id: number.sessionId,
  status: number.status,
  created_at: number.createdAt.toISOString(),
  updated_at: number.updatedAt.toISOString(),
});

async function ownNumber({ services, caller }: Call, id: number): Promise<AllowedNumber> {
  const number = await allowedNumbers.get(services.database, caller, id);
  if (!number) throw new ApiError("allowed_number_not_found");
  return number;
}

const listNumbers = (regions: readonly string[] | undefined) =>
  route({
    name: "listAllowedNumbers",
    method: "get",
    path: BASE,
    tag,
    scope: "data:read",
    summary: "List the numbers whose messages are kept",
    description: "Oldest first, with those that are switched off.",
    query: z.object({ whatsapp_number: whatsappNumber(regions).optional(), ...pageQuery }),
    answers: {
      200: answer(
        { id: "Daftar nomor yang diizinkan", en: "The numbers" },
        z.object({ allowed_numbers: z.array(view), pagination }),
        { allowed_numbers: [example], pagination: { page: 1, pageSize: 10, total: 1, totalPages: 1 } },
      ),
    },
    errors: ["invalid_phone"],
    async handle({ query }, { services, caller }) {
      const { page, pageSize } = query;
      const part = { limit: pageSize, offset: (page - 1) * pageSize };
      const found = await allowedNumbers.list(services.database, caller, query.whatsapp_number, part);
      const list = { allowed_numbers: found.numbers.map(toView) };
      return { status: 200, data: { ...list, pagination: toPagination(page, pageSize, found.total) } };
    },
  });

const addNumber = (regions: readonly string[] | undefined) =>
  route({
    name: "addAllowedNumber",
    method: "post",
    path: BASE,
    tag,
    scope,
    summary: "Have the messages of a number kept",
    description:
      "While it is `aktif`, each message that this number of one's own sends or receives becomes a row of the history; of a number without such a record nothing is kept. It counts from the next message on, for every device of the session's user that is linked to the number.",
    headers: z.object({ "idempotency-key": idempotencyKey.optional() }),
    body: z.object({
      whatsapp_number: whatsappNumber(regions),
      status: status.default("aktif"),
      session_id: sessionId,
    }),
    bodyExample: { whatsapp_number: "6281234567890", status: "aktif", session_id: 1 },
    answers: { 201: answer({ id: "Nomor berhasil ditambahkan", en: "The number was added" }, view, example) },
    audit: { action: "allowed-number.add", target: "id" },
    errors: ["session_not_found", "number_exists", "invalid_phone", "idempotency_mismatch"],
    async handle({ headers, body }, call) {
      const { database } = call.services;
      const once = idempotency(headers["idempotency-key"], call);
      const find = (key: string) => allowedNumbers.find(database, { key });
      const replayed = (number: AllowedNumber) =>
        ({ status: 201, data: toView(number), headers: IDEMPOTENCY_REPLAYED }) as const;
      const replay = await findReplay(once, find);
      if (replay) return replayed(replay);
      const { userId, sessionId: id } = await ownSession(call, body.session_id);
      const number = { userId, sessionId: id, whatsappNumber: body.whatsapp_number, status: body.status };
      if (!(await allowedNumbers.create(database, { ...number, ...(once && { idempotency: once }) }))) {
        const other = await findReplay(once, find);
        if (other) return replayed(other);
        throw new ApiError("number_exists");
      }
      const made = await allowedNumbers.find(database, number);
      if (!made) throw new ApiError("allowed_number_not_found");
      return { status: 201, data: toView(made) };
    },
  });

const changeNumber = route({
  name: "setAllowedNumberStatus",
  method: "put",
  path: `${BASE}/:id/status`,
  tag,
  scope,
  summary: "Switch the keeping of a number's messages on or off",
  description: "From the next message on. What was kept stays.",
  params,
  body: z.object({ status }),
  bodyExample: { status: "nonaktif" },
  answers: {
    200: answer({ id: "Status berhasil diubah", en: "The status was changed" }, view, {
      ...example,
      status: "nonaktif",
    }),
  },
  audit: { action: "allowed-number.status", target: "id" },
  errors: ["allowed_number_not_found"],
  async handle({ params: { id }, body }, call) {
    const number = await ownNumber(call, id);
    await allowedNumbers.setStatus(call.services.database, number.allowedId, body.status);
    return { status: 200, data: toView(await ownNumber(call, id)) };
  },
});

const removeNumber = route({
  name: "removeAllowedNumber",
  method: "delete",
  path: `${BASE}/:id`,
  tag,
  scope,
  summary: "Remove a number from those that are allowed",
  description: "From the next message on nothing of it is kept. What was kept stays.",
  params,
  answers: {
    200: answer({ id: "Nomor berhasil dihapus", en: "The number was removed" }, z.object({ id: z.int() }), { id: 1 }),
  },
  audit: { action: "allowed-number.remove", target: "id" },
  errors: ["allowed_number_not_found"],
  async handle({ params: { id } }, call) {
    const { allowedId } = await ownNumber(call, id);
    await allowedNumbers.remove(call.services.database, allowedId);
    return { status: 200, data: { id: allowedId } };
  },
});

export const allowedNumberRoutes = (regions: readonly string[] | undefined): Route[] => [
  listNumbers(regions),
  addNumber(regions),
  changeNumber,
  removeNumber,
];
