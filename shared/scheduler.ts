import type { CommandMessage } from "./commands.ts";
import type { SchedulerConfig } from "./config.ts";
import { lineOf } from "./queue.ts";

/** EventBridge Scheduler: what happens once, at a time. */
export type Scheduler = ReturnType<typeof openScheduler>;

/** A client waits for an answer meanwhile. */
const TIMEOUT_MS = 5_000;

/** The SDK is loaded by the first request, as in storage.ts. */
async function openClient() {
  const sdk = await import("./aws/scheduler.ts");
  return { sdk, client: new sdk.SchedulerClient({}) };
}

/** Endpoint, region and credentials come from the AWS SDK's own environment variables. */
export function openScheduler({ group, roleArn, deadLetterArn }: SchedulerConfig) {
  let opened: ReturnType<typeof openClient> | undefined;
  const open = () => (opened ??= openClient());
  const within = () => ({ abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
  return {
    /**
     * Has a message put into a queue, in the minute of `at` (user guide, "Schedule types": 60 seconds of precision), and
     * forgets it then. One that has this name already stays as it is. Throws when the scheduler cannot be reached or
     * refuses.
     * @param name 1-64 characters of `0-9a-zA-Z-_.`
     */
    async set(name: string, at: Date, { queueArn, message }: { queueArn: string; message: CommandMessage }) {
      const { sdk, client } = await open();
      const request = new sdk.CreateScheduleCommand({
        Name: name,
        GroupName: group,
        ScheduleExpression: `at(${at.toISOString().slice(0, 19)})`,
        ScheduleExpressionTimezone: "UTC",
        FlexibleTimeWindow: { Mode: "OFF" },
        ActionAfterCompletion: "DELETE",
        Target: {
          Arn: queueArn,
          RoleArn: roleArn,
          Input: JSON.stringify(message),
          SqsParameters: { MessageGroupId: lineOf(message) },
          DeadLetterConfig: { Arn: deadLetterArn },
        },
      });
      await client.send(request, within()).catch((error: unknown) => {
        if (!(error instanceof sdk.ConflictException)) throw error;
      });
    },

    /** One that is not there any more is no error. */
    async remove(name: string): Promise<void> {
      const { sdk, client } = await open();
      await client
        .send(new sdk.DeleteScheduleCommand({ Name: name, GroupName: group }), within())
        .catch((error: unknown) => {
          if (!(error instanceof sdk.ResourceNotFoundException)) throw error;
        });
    },

    close: () => void opened?.then(({ client }) => client.destroy()),
  };
}
