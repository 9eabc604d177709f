import { ListQueuesCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { randomUUID } from "node:crypto";
import mysql from "mysql2/promise";
import type { RowDataPacket } from "mysql2/promise";
import type { Stack } from "../../local/stack.ts";

/** Puts commands into their queue once more, as a queue that delivers at least once may do. Close it in the end. */
export async function duplicateDeliveries(stack: Stack) {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws;
  const client = new SQSClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  const { QueueUrls: urls = [] } = await client.send(new ListQueuesCommand({ QueueNamePrefix: "commands-" }));
  const connection = await mysql.createConnection(stack.databaseUrl);
  const sql = "SELECT device_id, shard FROM devices";
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  await connection.end();
  const shards = new Map(rows.map((row) => [String(row["device_id"]), Number(row["shard"])]));
  return {
    async again(commandId: string, deviceId: string): Promise<void> {
      const QueueUrl = urls.find((url) => url.endsWith(`/commands-${shards.get(deviceId)}.fifo`));
      const MessageBody = JSON.stringify({ commandId, deviceId });
      const ids = { MessageGroupId: deviceId, MessageDeduplicationId: randomUUID() };
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...ids }));
    },
    close: () => client.destroy(),
  };
}
