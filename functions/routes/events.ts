import * as z from "zod";
import * as events from "../../shared/db/events.ts";
import type { RecordedEvent } from "../../shared/events.ts";
import { ApiError } from "../../shared/errors.ts";
import { EVENT_STREAM, eventStream, eventStreamText } from "../event-stream.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { deviceId } from "../schemas/device.ts";
import { eventExample, eventView, toEventView } from "../schemas/event.ts";
import { wait } from "../wait.ts";

const MOST = 1_000;
const USUAL = 100;
/** Less than proxies and API gateways wait for an answer. */
const MAX_WAIT_SECONDS = 25;
const NOT_BUFFERED = { "Cache-Control": "no-cache", "X-Accel-Buffering": "no" };

type Read = (after: number) => Promise<RecordedEvent[]>;

/** What is there, or else what comes within the time. */
async function readWithin(read: Read, after: number, waitMs: number, call: Call): Promise<RecordedEvent[]> {
  const look = async () => {
    const found = await read(after);
    return found.length ? found : undefined;
  };
  const timeoutMs = Math.min(waitMs, call.services.config.syncWaitMs);
  return (await wait(look, timeoutMs, call.isAbandoned)) ?? [];
}

const isStreamAsked = (accept: string | undefined) =>
  accept?.split(",").some((type) => type.split(";")[0]?.trim() === EVENT_STREAM) === true;

async function stream(read: Read, after: number, call: Call) {
  const head = { status: 200, contentType: EVENT_STREAM, headers: NOT_BUFFERED } as const;
  const { streams } = call.services;
  if (!streams) {
    return { ...head, text: eventStreamText(await readWithin(read, after, MAX_WAIT_SECONDS * 1000, call)) };
  }
  const onEnd = streams.take(call.caller.userId);
  if (!onEnd) throw new ApiError("too_many_requests");
  return { ...head, text: eventStream(read, after, { isAbandoned: call.isAbandoned, onEnd }) };
}

const listEvents = route({
  name: "listEvents",
  method: "get",
  path: "/api/whatsapp-multi-device/events",
  tag: "Events",
  scope: "messages:read",
  polled: true,
  summary: "Read the events of a device",
  description:
    "Oldest first, each once. Ask again with `after` set to `lastSequence`; while `hasMore` is true there is no need to wait in between. With `wait` the answer comes when there is something to tell, or after that time. With `Accept: text/event-stream`, as a browser's `EventSource` asks, the events come as Server-Sent Events as they are recorded: `id` is the sequence, and `Last-Event-ID` goes on after it. A stream ends after five minutes, or at once where answers are not sent in pieces (Lambda), and the client resumes; 10 of a user at a time.",
  query: z.object({
    deviceId,
    after: z.coerce
      .number()
      .int()
      .min(0)
      .default(0)
      .meta({ description: "Only events with a higher `sequence` than this." }),
    limit: z.coerce.number().int().min(1).max(MOST).default(USUAL),
    wait: z.coerce.number().int().min(0).max(MAX_WAIT_SECONDS).default(0).meta({ description: "Seconds." }),
  }),
  headers: z.object({
    accept: z.string().optional(),
    "last-event-id": z
      .string()
      .regex(/^[0-9]{1,15}$/)
      .optional()
      .meta({ description: "Of a stream that is resumed; wins over `after`." }),
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
  texts: {
    [EVENT_STREAM]: {
      schema: { type: "string" },
      example: `id: 42\nevent: ${eventExample.type}\ndata: ${JSON.stringify(eventExample)}\n\n`,
    },
  },
  async handle({ query, headers }, call) {
    await ownDevice(call, query.deviceId);
    const { limit } = query;
    const { database } = call.services;
    if (isStreamAsked(headers.accept)) {
      const from = Number(headers["last-event-id"] ?? query.after);
      return await stream((after) => events.listAfter(database, query.deviceId, after, limit), from, call);
    }
    const read: Read = (after) => events.listAfter(database, query.deviceId, after, limit + 1);
    const found = await readWithin(read, query.after, query.wait * 1000, call);
    const page = found.slice(0, limit);
    const lastSequence = page.at(-1)?.sequence ?? query.after;
    return { status: 200, data: { events: page.map(toEventView), lastSequence, hasMore: found.length > limit } };
  },
});

export const eventRoutes: Route[] = [listEvents];
