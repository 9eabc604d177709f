import * as z from "zod";
import * as messageCounts from "../../shared/db/message-counts.ts";
import * as sessions from "../../shared/db/sessions.ts";
import { fromTo, listMessages, ofParty } from "../list-messages.ts";
import { ownSession } from "../own-session.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import {
  daysQuery,
  localDate,
  messagePage,
  messagePageExample,
  messagePageQuery,
  orderQuery,
  toRange,
} from "../schemas/message-page.ts";
import { party, whatsappNumber } from "../schemas/party.ts";
import { sessionId } from "../schemas/session.ts";

const BASE = "/api/whatsapp";
const tag = "Stored messages";
const scope = "data:read";
const answers = { 200: answer({ id: "Daftar pesan", en: "The messages" }, messagePage, messagePageExample) };
const KEPT = "Messages are kept of allowed numbers only. Days are days in `APP_TIMEZONE`.";
/** A conversation is read, the other lists are looked through. */
const CONVERSATION_PAGE = 100;

type Regions = readonly string[] | undefined;
const onDay = (date: string | undefined, call: Call) => toRange({ start_date: date, end_date: date }, call.services);
const scopeOf = ({ services, caller }: Call) => sessions.scopeOf(services.database, caller);

const listDetails = route({
  name: "listMessageDetails",
  method: "get",
  path: `${BASE}/message/details`,
  tag,
  scope,
  summary: "List the messages of a session",
  description: `The newest first; of one day if \`date\` is given. ${KEPT}`,
  query: z.object({ session_id: sessionId, date: localDate.optional(), ...messagePageQuery }),
  answers,
  errors: ["session_not_found"],
  async handle({ query }, call) {
    const { sessionId: id } = await ownSession(call, query.session_id);
    const range = onDay(query.date, call);
    return await listMessages(call, { alternatives: "everything", range, scope: [id], order: "desc" }, query);
  },
});

const listByNumber = (regions: Regions) =>
  route({
    name: "listMessagesOfAccount",
    method: "get",
    path: `${BASE}/messages/by-number/:whatsapp_number`,
    tag,
    scope,
    summary: "List the messages of one's own number",
    description: `All that this account has sent and received, its groups included, over every device that it was linked through; the newest first. ${KEPT}`,
    params: z.object({ whatsapp_number: whatsappNumber(regions) }),
    query: z.object({ date: localDate.optional(), ...messagePageQuery }),
    answers,
    errors: ["invalid_phone"],
    async handle({ params, query }, call) {
      const { services, caller } = call;
      const ofNumber = await sessions.scopeOf(services.database, caller, params.whatsapp_number);
      const range = onDay(query.date, call);
      return await listMessages(call, { alternatives: "everything", range, scope: ofNumber, order: "desc" }, query);
    },
  });

const listFiltered = (regions: Regions) =>
  route({
    name: "listFilteredMessages",
    method: "get",
    path: `${BASE}/history/filtered`,
    tag,
    scope,
    summary: "Look for messages",
    description: `By who wrote them, for whom they were, and when; the newest first. What is not given is not asked for. ${KEPT}`,
    query: z.object({
      receiver_number: party(regions).optional(),
      sender_number: party(regions).optional(),
      ...daysQuery,
      ...messagePageQuery,
    }),
    answers,
    errors: ["invalid_phone"],
    async handle({ query }, call) {
      const seen = await scopeOf(call);
      const find = (address: string | undefined) =>
        address === undefined ? undefined : messageCounts.addressesOf(call.services.database, address, seen);
      const [senders, receivers] = await Promise.all([find(query.sender_number), find(query.receiver_number)]);
      const alternatives = senders || receivers ? fromTo(senders, receivers) : "everything";
      const range = toRange(query, call.services);
      return await listMessages(call, { alternatives, range, scope: seen, order: "desc" }, query);
    },
  });

const listConversation = (regions: Regions) =>
  route({
    name: "listConversation",
    method: "get",
    path: `${BASE}/conversation/:phone1/:phone2`,
    tag,
    scope,
    summary: "Read what two have written to each other",
    description: `One of them may be a group: then what the other has written in it. ${KEPT}`,
    params: z.object({ phone1: party(regions), phone2: party(regions) }),
    query: z.object({
      ...daysQuery,
      ...orderQuery("asc"),
      ...messagePageQuery,
      pageSize: messagePageQuery.pageSize.default(CONVERSATION_PAGE),
    }),
    answers,
    errors: ["invalid_phone"],
    async handle({ params, query }, call) {
      const seen = await scopeOf(call);
      const [one, other] = await Promise.all(
        [params.phone1, params.phone2].map((address) =>
          messageCounts.addressesOf(call.services.database, address, seen),
        ),
      );
      const isOne = one?.some((address) => other?.includes(address));
      const alternatives = [...fromTo(one, other), ...(isOne ? [] : fromTo(other, one))];
      const range = toRange(query, call.services);
      return await listMessages(call, { alternatives, range, scope: seen, order: query.order }, query);
    },
  });

const listByParty = (regions: Regions) =>
  route({
    name: "listMessagesOfNumber",
    method: "get",
    path: `${BASE}/messages/number/:phone_number`,
    tag,
    scope,
    summary: "List the messages of any number",
    description: `What it has written and what was written to it, the newest first if \`order\` does not say otherwise. Of a group's address: what was written in the group. ${KEPT}`,
    params: z.object({ phone_number: party(regions) }),
    query: z.object({ ...daysQuery, ...orderQuery("desc"), ...messagePageQuery }),
    answers,
    errors: ["invalid_phone"],
    async handle({ params, query }, call) {
      const seen = await scopeOf(call);
      const addresses = await messageCounts.addressesOf(call.services.database, params.phone_number, seen);
      const range = toRange(query, call.services);
      return await listMessages(
        call,
        { alternatives: ofParty(addresses), range, scope: seen, order: query.order },
        query,
      );
    },
  });

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export const storedMessageRoutes = (regions: Regions): Route[] => [
  listDetails,
  listByNumber(regions),
  listFiltered(regions),
  listConversation(regions),
  listByParty(regions),
];
