import * as z from "zod";
import * as messageCounts from "../../shared/db/message-counts.ts";
import type { Counterpart, Tally } from "../../shared/db/message-counts.ts";
import * as sessions from "../../shared/db/sessions.ts";
import { localTime } from "../local-time.ts";
import { ownSession } from "../own-session.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { daysQuery, localDate, toRange } from "../schemas/message-page.ts";
import { pageQuery, pagination, toPagination } from "../schemas/page.ts";
import { party } from "../schemas/party.ts";
import { sessionId } from "../schemas/session.ts";
import { isGroup } from "../schemas/stored-message.ts";

const BASE = "/api/whatsapp";
const tag = "Stored messages";
const scope = "data:read";
/** Offsets of all zones, and their changes, are multiples of it. */
const SLOT_SECONDS = 900;
const HOURS = 24;

const inOut = { incoming: z.int(), outgoing: z.int() };
const statistics = z.object({
  session_id: z.int(),
  date: z.string(),
  total: z.int(),
  ...inOut,
  by_type: z.array(z.object({ message_type: z.string(), ...inOut })).meta({ description: "The most frequent first." }),
  by_hour: z
    .array(z.object({ hour: z.int().min(0).max(23), ...inOut }))
    .meta({ description: "Every hour of the day." }),
});
type Statistics = z.input<typeof statistics>;

const getStatistics = route({
  name: "getMessageStats",
  method: "get",
  path: `${BASE}/message/stats`,
  tag,
  scope,
  summary: "Count the messages of a session on a day",
  description: "Today, if `date` does not say otherwise; a day in `APP_TIMEZONE`. Counts what is kept.",
  query: z.object({ session_id: sessionId, date: localDate.optional() }),
  answers: {
    200: answer({ id: "Statistik pesan", en: "The statistics" }, statistics, {
      session_id: 1,
      date: "2026-11-22",
      total: 3,
      incoming: 2,
      outgoing: 1,
      by_type: [{ message_type: "text", incoming: 2, outgoing: 1 }],
      by_hour: Array.from({ length: HOURS }, (_, hour) => ({
        hour,
        incoming: hour === 11 ? 2 : 0,
        outgoing: hour === 11 ? 1 : 0,
      })),
    }),
  },
  errors: ["session_not_found"],
  async handle({ query }, call) {
    const { sessionId: id } = await ownSession(call, query.session_id);
    const clock = localTime(call.services.config.timeZone);
    const date = query.date ?? clock.format(new Date()).slice(0, "YYYY-MM-DD".length);
    const day = clock.day(date);
    const tallies = await messageCounts.tally(call.services.database, id, day, SLOT_SECONDS);
    const hourOf = ({ slot }: Tally) => {
      const begin = new Date(day.from.getTime() + slot * SLOT_SECONDS * 1000);
      return Number(clock.format(begin).slice("YYYY-MM-DD ".length, "YYYY-MM-DD HH".length));
    };
    return { status: 200, data: { session_id: id, date, ...toStatistics(tallies, hourOf) } };
  },
});

const sums = (tallies: readonly Tally[]) => {
  const of = (isOwn: boolean) =>
    tallies.filter((one) => one.isOwn === isOwn).reduce((sum, { messages }) => sum + messages, 0);
  return { incoming: of(false), outgoing: of(true) };
};

function toStatistics(tallies: readonly Tally[], hourOf: (tally: Tally) => number) {
  const all = sums(tallies);
  const types = [...new Set(tallies.map(({ type }) => type))];
  const byType = types.map((type) => ({ message_type: type, ...sums(tallies.filter((one) => one.type === type)) }));
  const byHour = Array.from({ length: HOURS }, (_, hour) => ({
    hour,
    ...sums(tallies.filter((one) => hourOf(one) === hour)),
  }));
  const size = ({ incoming, outgoing }: typeof all) => incoming + outgoing;
  return {
    total: size(all),
    ...all,
    by_type: byType.toSorted((a, b) => size(b) - size(a) || (a.message_type < b.message_type ? -1 : 1)),
    by_hour: byHour,
  } satisfies Omit<Statistics, "session_id" | "date">;
}

const counterpartHead = {
  number: z.string().meta({ description: "The digits of the phone number where it is known, else a JID." }),
  is_group: z.boolean(),
};
const mappingView = z
  .object({
    ...counterpartHead,
    incoming: z.int().meta({ description: "Written by the counterpart." }),
    outgoing: z.int().meta({ description: "Written to the counterpart." }),
    total: z.int(),
    first_at: z.iso.datetime(),
    last_at: z.iso.datetime(),
  })
  .meta({ id: "Counterpart" });
const contactView = z.object({ ...counterpartHead, last_at: z.iso.datetime() }).meta({ id: "MessageContact" });

const toContact = ({ number, lastAt }: Counterpart): z.input<typeof contactView> => ({
  number,
  is_group: isGroup(number),
  last_at: lastAt.toISOString(),
});
const toMapping = (one: Counterpart): z.input<typeof mappingView> => ({
  ...toContact(one),
  incoming: one.incoming,
  outgoing: one.outgoing,
  total: one.incoming + one.outgoing,
  first_at: one.firstAt.toISOString(),
});

type Regions = readonly string[] | undefined;
const partyParams = (regions: Regions) => z.object({ phone_number: party(regions) });
const countQuery = z.object({ ...daysQuery, ...pageQuery });

async function findCounterparts(call: Call, number: string, query: z.output<typeof countQuery>) {
  const { database } = call.services;
  const { page, pageSize } = query;
  const seen = await sessions.scopeOf(database, call.caller);
  const addresses = await messageCounts.addressesOf(database, number, seen);
  const which = { range: toRange(query, call.services), scope: seen };
  const part = { limit: pageSize, offset: (page - 1) * pageSize };
  const { counterparts, total } = await messageCounts.counterparts(database, addresses, which, part);
  return { counterparts, pagination: toPagination(page, pageSize, total) };
}

const PAGE = { page: 1, pageSize: 10, total: 1, totalPages: 1 };
const CONTACT = { number: "6289876543210", is_group: false, last_at: "2026-11-22T04:30:00.000Z" };

const listMapping = (regions: Regions) =>
  route({
    name: "listCounterparts",
    method: "get",
    path: `${BASE}/messages/number/:phone_number/mapping`,
    tag,
    scope,
    summary: "With whom a number has written, and how much",
    description: "Whom it wrote with last comes first. Groups too. Counts what is kept, on days in `APP_TIMEZONE`.",
    params: partyParams(regions),
    query: countQuery,
    answers: {
      200: answer(
        { id: "Pemetaan percakapan", en: "The counterparts" },
        z.object({ phone_number: z.string(), counterparts: z.array(mappingView), pagination }),
        {
          phone_number: "6281234567890",
          counterparts: [{ ...CONTACT, incoming: 2, outgoing: 1, total: 3, first_at: "2026-11-22T04:00:00.000Z" }],
          pagination: PAGE,
        },
      ),
    },
    errors: ["invalid_phone"],
    async handle({ params, query }, call) {
      const found = await findCounterparts(call, params.phone_number, query);
      const counterparts = found.counterparts.map(toMapping);
      return { status: 200, data: { phone_number: params.phone_number, ...found, counterparts } };
    },
  });

const listContacts = (regions: Regions) =>
  route({
    name: "listMessageContacts",
    method: "get",
    path: `${BASE}/messages/number/:phone_number/contacts`,
    tag,
    scope,
    summary: "With whom a number has written",
    description: "Each once; whom it wrote with last comes first. Groups too.",
    params: partyParams(regions),
    query: countQuery,
    answers: {
      200: answer(
        { id: "Daftar kontak", en: "The contacts" },
        z.object({ phone_number: z.string(), contacts: z.array(contactView), pagination }),
        { phone_number: "6281234567890", contacts: [CONTACT], pagination: PAGE },
      ),
    },
    errors: ["invalid_phone"],
    async handle({ params, query }, call) {
      const { counterparts, pagination: page } = await findCounterparts(call, params.phone_number, query);
      const contacts = counterparts.map(toContact);
      return { status: 200, data: { phone_number: params.phone_number, contacts, pagination: page } };
    },
  });

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export const messageCountRoutes = (regions: Regions): Route[] => [
  getStatistics,
  listMapping(regions),
  listContacts(regions),
];
