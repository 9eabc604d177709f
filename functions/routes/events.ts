import * as z from "zod";
import * as events from "../../shared/db/events.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { deviceId } from "../schemas/device.ts";
import { eventExample, eventView, toEventView } from "../schemas/event.ts";

const MOST = 1_000;
const USUAL = 100;

const listEvents = route({
  name: "listEvents",
  method: "get",
  path: "/api/whatsapp-multi-device/events",
  tag: "Events",
  scope: "messages:read",
  polled: true,
  summary: "Read the events of a device",
  description:
    "Oldest first, each once. Ask again with `after` set to `lastSequence`; while `hasMore` is true there is no need to wait in between.",
  query: z.object({
    deviceId,
    after: z.coerce
      .number()
      .int()
      .min(0)
      .default(0)
      .meta({ description: "Only events with a higher `sequence` than this." }),
    limit: z.coerce.number().int().min(1).max(MOST).default(USUAL),
  }),
  answers: {
    200: answer(
      { id: "Daftar kejadian", en: "The events" },
      z.object({
        events: z.array(eventView),
        lastSequence: z.int().meta({ description: "Of the last event here; `after` when there is none." }),
        hasMore: z.boolean(),
      }),
      { events: [eventExample], lastSequence: 42, hasMore: false },
    ),
  },
  errors: ["device_not_found"],
  async handle({ query }, call) {
    await ownDevice(call, query.deviceId);
    const { after, limit } = query;
    const found = await events.listAfter(call.services.database, query.deviceId, after, limit + 1);
    const page = found.slice(0, limit);
    const lastSequence = page.at(-1)?.sequence ?? after;
    return { status: 200, data: { events: page.map(toEventView), lastSequence, hasMore: found.length > limit } };
  },
});

export const eventRoutes: Route[] = [listEvents];
