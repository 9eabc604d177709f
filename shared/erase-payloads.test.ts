import { beforeAll, expect, it } from "vitest";
import { testDatabase, testUser } from "../local/testing/test-database.ts";
import * as devices from "./db/devices.ts";
import * as events from "./db/events.ts";
import { execute, transaction } from "./db/pool.ts";
import type { Database } from "./db/pool.ts";
import { erasePayloads } from "./erase-payloads.ts";
import { eventExamples } from "./event-examples.ts";
import { eventSchemas } from "./events.ts";
import type { NewEvent } from "./events.ts";
import type { DeviceId } from "./ids.ts";

const deviceId = "erase" as DeviceId;
let database: Database;

beforeAll(async () => {
  database = await testDatabase();
  await devices.create(database, { deviceId, userId: await testUser(database), deviceName: null }, 1);
});

const bodies = Object.values(eventExamples);
const append = (isUnkept: boolean) => {
  const fresh = bodies.map((body): NewEvent => ({ ...body, dedupeKey: null, occurredAt: new Date(), isUnkept }));
  return transaction(database, (runner) => events.append(runner, deviceId, 1, fresh));
};
const all = () => events.listAfter(database, deviceId, 0, 1_000);
const CONTENT = /Halo juga|👍|Tim Penjualan|Budi/;

it("erases what people wrote, of events that are not kept, and leaves an event of the type", async () => {
  await append(true);
  await append(false);
  expect(await erasePayloads(database, 1)).toBe(0);
  const withContent = (await all()).filter((event) => CONTENT.test(JSON.stringify(event)));
  expect(await erasePayloads(database, 0)).toBe(withContent.length / 2);
  const [erased, kept] = [(await all()).slice(0, bodies.length), (await all()).slice(bodies.length)];
  expect(erased.filter((event) => CONTENT.test(JSON.stringify(event)))).toEqual([]);
  expect(kept.map(({ type, data }) => ({ type, data }))).toEqual(bodies);
  for (const event of erased) expect(eventSchemas[event.type].safeParse(event).error).toBeUndefined();
  expect(erased.find(({ type }) => type === "message.received")).toMatchObject({
    isErased: true,
    data: { messageType: "unsupported", kind: "text", chat: "6289876543210@s.whatsapp.net" },
  });
  expect(await erasePayloads(database, 0)).toBe(0);
});

it("waits for those who are to be told, and forgets what they answered", async () => {
  const [last] = (await all()).slice(-1);
  await append(true);
  const [event] = (await events.listAfter(database, deviceId, last?.sequence ?? 0, 100)).filter(
    ({ type }) => type === "message.received",
  );
  if (!event) throw new Error("no event");
  const insert = `INSERT INTO deliveries (webhook_id, event_id, device_id, sequence, type, due_at, expires_at, answer)
    VALUES ('wh', ?, ?, ?, ?, NOW(3), NOW(3) + INTERVAL 1 DAY, 'you wrote: Halo juga')`;
  await execute(database.pool, insert, [event.id, deviceId, event.sequence, event.type]);
  const tried = `INSERT INTO delivery_tries (delivery_id, try_number, tried_at, tried_ms, answer)
    SELECT delivery_id, 1, NOW(3), 5, answer FROM deliveries WHERE event_id = ?`;
  await execute(database.pool, tried, [event.id]);
  await erasePayloads(database, 0);
  const isErased = async () => (await all()).find(({ id }) => id === event.id)?.isErased;
  expect(await isErased()).toBe(false);
  await execute(database.pool, "UPDATE deliveries SET state = 'delivered' WHERE event_id = ?", [event.id]);
  await erasePayloads(database, 0);
  expect(await isErased()).toBe(true);
  const answers = `SELECT d.answer, t.answer AS tried FROM deliveries d JOIN delivery_tries t ON t.delivery_id = d.delivery_id
    WHERE d.event_id = ?`;
  expect((await database.pool.query(answers, [event.id]))[0]).toEqual([{ answer: null, tried: null }]);
});
