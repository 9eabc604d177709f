import * as z from "zod";
import * as devices from "../../shared/db/devices.ts";
import * as sessionGroups from "../../shared/db/session-groups.ts";
import * as sessions from "../../shared/db/sessions.ts";
import { ownSession } from "../own-session.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { pageQuery, pagination, toPagination } from "../schemas/page.ts";
import { noteLength, sessionExample, sessionId, sessionView, toSessionView } from "../schemas/session.ts";

const BASE = "/api/whatsapp";
const tag = "Sessions";
const scope = "data:read";
const sessionParams = z.object({ id: sessionId });

const visible = async ({ services, caller }: Call) =>
  new Map((await devices.list(services.database, caller)).map((device) => [device.deviceId, device]));

const getSession = route({
  name: "getWhatsAppSession",
  method: "get",
  path: `${BASE}/sessions/:id`,
  tag,
  scope,
  summary: "Look at a session",
  description: "The record of one WhatsApp number that was linked through a device. It stays when the link has ended.",
  params: sessionParams,
  answers: { 200: answer({ id: "Sesi ditemukan", en: "The session" }, sessionView, sessionExample) },
  errors: ["session_not_found"],
  async handle({ params }, call) {
    return { status: 200, data: toSessionView(await ownSession(call, params.id), await visible(call)) };
  },
});

const listSessionsOfUser = route({
  name: "listSessionsOfUser",
  method: "get",
  path: `${BASE}/sessions/user/:id`,
  tag,
  scope,
  summary: "List the sessions of a user",
  description:
    "Oldest first: those of one's own devices, by one's own user id; of another user those of devices that were given to the caller. Nothing for a user who is not there.",
  params: z.object({
    id: z
      .string()
      .regex(/^[a-zA-Z0-9_-]{1,40}$/)
      .meta({ examples: [sessionExample.user_id] }),
  }),
  answers: {
    200: answer({ id: "Daftar sesi", en: "The sessions" }, z.object({ sessions: z.array(sessionView) }), {
      sessions: [sessionExample],
    }),
  },
  errors: [],
  async handle({ params }, call) {
    const found = await sessions.listOfUser(call.services.database, call.caller, params.id);
    const known = await visible(call);
    return { status: 200, data: { sessions: found.map((session) => toSessionView(session, known)) } };
  },
});

const setNote = route({
  name: "setSessionNote",
  method: "put",
  path: `${BASE}/sessions/:id/keterangan`,
  tag,
  scope: "data:write",
  summary: "Write a note on a session",
  description: "An empty one takes the note away.",
  params: sessionParams,
  body: z.object({ keterangan: z.string().max(noteLength) }),
  bodyExample: { keterangan: "Toko cabang Bandung" },
  answers: { 200: answer({ id: "Keterangan disimpan", en: "The note was saved" }, sessionView, sessionExample) },
  audit: { action: "session.note", target: "id" },
  errors: ["session_not_found"],
  async handle({ params, body }, call) {
    const { sessionId: id } = await ownSession(call, params.id);
    await sessions.setNote(call.services.database, id, body.keterangan || null);
    return { status: 200, data: toSessionView(await ownSession(call, id), await visible(call)) };
  },
});

const listGroupLinks = route({
  name: "listGroupLinks",
  method: "get",
  path: `${BASE}/groups/links/:session_id`,
  tag,
  scope,
  summary: "List the groups of a session with their links",
  description:
    "Groups of an allowed number, by name: all that it is in once its groups were listed (`GET …/devices/:deviceId/groups`), and any of which something was told. `invite_link` is null where the account may not see it, as it is no admin, or has not learnt it: looking at a group (`GET …/groups/:groupId/info`) does that.",
  params: z.object({ session_id: sessionId }),
  query: z.object(pageQuery),
  answers: {
    200: answer(
      { id: "Daftar tautan grup", en: "The groups" },
      z.object({
        groups: z.array(
          z.object({
            group_id: z.string(),
            subject: z.string().nullable(),
            invite_link: z.string().nullable(),
            updated_at: z.iso.datetime(),
          }),
        ),
        pagination,
      }),
      {
        groups: [
          {
            group_id: "120363041234567890@g.us",
            subject: "Tim Penjualan",
            invite_link: "https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv",
            updated_at: "2026-11-22T04:30:00.000Z",
          },
        ],
        pagination: { page: 1, pageSize: 10, total: 1, totalPages: 1 },
      },
    ),
  },
  errors: ["session_not_found"],
  async handle({ params, query: { page, pageSize } }, call) {
    const { sessionId: id } = await ownSession(call, params.session_id);
    const offset = (page - 1) * pageSize;
    const { groups, total } = await sessionGroups.list(call.services.database, id, { limit: pageSize, offset });
    const views = groups.map(({ group, subject, inviteCode, updatedAt }) => ({
      group_id: group,
      subject,
      invite_link: inviteCode && `https://chat.whatsapp.com/${inviteCode}`,
      updated_at: updatedAt.toISOString(),
    }));
    return { status: 200, data: { groups: views, pagination: toPagination(page, pageSize, total) } };
  },
});

export const sessionRoutes: Route[] = [listSessionsOfUser, getSession, setNote, listGroupLinks];
