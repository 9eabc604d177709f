import * as z from "zod";
import { eventExamples } from "../../shared/event-examples.ts";
import { eventSchemas } from "../../shared/events.ts";
import type { RecordedEvent } from "../../shared/events.ts";

const common = {
  id: z.string().meta({ description: "Unique. The same event offered twice has the same id." }),
  deviceId: z.string(),
  sequence: z.int().meta({ description: "Rises by one with each event of a device, without gaps." }),
  occurredAt: z.iso.datetime(),
  isErased: z.boolean().meta({
    description:
      "What it told was erased, as messages of the number are not kept: who, where and when is left. A message is `unsupported` then.",
  }),
};

const [first, ...others] = Object.values(eventSchemas).map((schema) =>
  schema.extend(common).meta({ description: schema.description ?? "" }),
);
if (!first) throw new Error("there are no events");

/** An event as it is told, of every type. */
export const eventView = z.discriminatedUnion("type", [first, ...others]).meta({ id: "Event" });
export type EventView = z.input<typeof eventView>;

export const toEventView = (event: RecordedEvent): EventView => ({
  ...event,
  occurredAt: event.occurredAt.toISOString(),
});

export const eventExample: EventView = {
  id: "evt_019aa1b2c3d4e5f60718293a4b",
  deviceId: "device-001",
  sequence: 42,
  occurredAt: "2026-11-22T04:30:00.500Z",
  isErased: false,
  ...eventExamples["message.received"],
};
