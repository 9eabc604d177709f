import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test } from "vitest";
import { testDatabase, testUser } from "../../local/testing/test-database.ts";
import * as devices from "../../shared/db/devices.ts";
import { eventExamples } from "../../shared/event-examples.ts";
import type { Event } from "../../shared/events.ts";
import { openGuardedFetch } from "../../shared/guarded-fetch.ts";
import { newWebhookId } from "../../shared/ids.ts";
import type { DeviceId } from "../../shared/ids.ts";
import { createLog } from "../../shared/log.ts";
import type { MediaFiles } from "../../shared/media-files.ts";
import type { CommandQueues } from "../../shared/queue.ts";
import { newWebhookSecret } from "../../shared/webhook-secret.ts";
import { askChatbot } from "./ask-chatbot.ts";
import type { DeliverServices } from "./deliver-services.ts";

const database = await testDatabase();
const userId = await testUser(database);
const fetcher = openGuardedFetch(["127.0.0.1"]);
const bot = createServer((_request, response) => response.end('{"reply":"Halo"}'));
await new Promise<void>((resolve) => bot.listen(0, "127.0.0.1", resolve));
afterAll(() => {
  fetcher.close();
  bot.close();
});

const queued: string[] = [];
let isQueueAway = true;
const queues = {
  send: async (_shard: number, { commandId }: { commandId: string }) => {
    if (isQueueAway) throw new Error("the queue is away");
    queued.push(commandId);
  },
} as unknown as CommandQueues;

test("a reply that the queue does not take is asked for again later, and is then sent once", async () => {
  const deviceId = "answering" as DeviceId;
  await devices.create(database, { deviceId, userId, deviceName: null }, 1);
  const services: DeliverServices = {
    database,
    queue: { wake: async () => undefined },
    queues,
    fetcher,
    files: {} as MediaFiles,
    mediaTypes: [],
    key: Buffer.alloc(32, 1),
    chatbot: undefined,
    repliesPerMinute: 20,
    log: createLog("deliver", "silent"),
  };
  const url = `http://127.0.0.1:${(bot.address() as AddressInfo).port}/`;
  const receiver = { url, headers: {}, secrets: [newWebhookSecret()], fetcher };
  const event = {
    id: "evt_1",
    sequence: 1,
    deviceId,
    occurredAt: new Date(),
    ...eventExamples["message.received"],
  } as Event;
  const endpoint = { webhookId: newWebhookId(), userId } as Parameters<typeof askChatbot>[2];

  const first = await askChatbot(services, receiver, endpoint, event);
  expect(first).toMatchObject({ posted: { status: 200 }, error: "reply_not_queued", mustRetry: true });
  isQueueAway = false;
  for (let asked = 0; asked < 2; asked++) {
    expect(await askChatbot(services, receiver, endpoint, event)).toMatchObject({ error: null });
  }
  expect(new Set(queued).size).toBe(1);
});
