import { expect, test } from "vitest";
import { eventExamples } from "../shared/event-examples.ts";
import { eventSchemas } from "../shared/events.ts";
import type { EventType } from "../shared/events.ts";
import { eventsPage } from "./testing/events-page.ts";

test.each(Object.keys(eventSchemas) as EventType[])("the example of %s is one", (type) => {
  expect(eventSchemas[type].parse(eventExamples[type])).toEqual(eventExamples[type]);
});

test("docs/events.md says what is told", async () => {
  await expect(eventsPage()).toMatchFileSnapshot("../docs/events.md");
});
