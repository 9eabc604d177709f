import type { AddressInfo } from "node:net";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";

/**
 * As little as an API of this kind can be: a route that answers a constant, and one that puts its body into the queue
 * QUEUE_URL. Says `{ port }` to its parent and ends with it.
 */
const sqs = new SQSClient({});
const app = new Hono();
app.get("/", (c) => c.json({ success: true, message: "OK", data: { deviceId: "bare", status: "connected" } }));
app.post("/", async (c) => {
  const MessageBody = await c.req.text();
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env["QUEUE_URL"], MessageBody }));
  return c.json({ success: true }, 202);
});
const server = createAdaptorServer({ fetch: app.fetch });
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("disconnect", () => process.exit());
