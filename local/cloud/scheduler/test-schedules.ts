import {
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import type { CreateScheduleCommandInput, Target } from "@aws-sdk/client-scheduler";
import type { TestQueue } from "../sqs/test-queue.ts";
import type { TestCloud } from "../test-cloud.ts";

const RoleArn = "arn:aws:iam::000000000000:role/scheduler";

let created = 0;

/** `at(…)` for an instant, in UTC. */
export function at(instant: number): string {
  return `at(${new Date(instant).toISOString().slice(0, 19)})`;
}

/** The target that puts `Input` into the queue. */
export function targetOf(queue: Pick<TestQueue, "arn">, Input: string, more: Partial<Target> = {}): Target {
  const group = queue.arn.endsWith(".fifo") ? { SqsParameters: { MessageGroupId: "group" } } : {};
  return { Arn: queue.arn, RoleArn, Input, ...group, ...more };
}

type Given = Partial<CreateScheduleCommandInput> & Pick<CreateScheduleCommandInput, "Target">;

/** The verbs that tests use most. A schedule is named by a number unless told otherwise, and one-time in an hour. */
export function schedulesOf(cloud: TestCloud) {
  const fill = (given: Given) => ({
    FlexibleTimeWindow: { Mode: "OFF" as const },
    ScheduleExpression: "at(2199-01-01T00:00:00)",
    ...given,
  });
  return {
    create: async (given: Given) => {
      created += 1;
      const Name = given.Name ?? `schedule-${created}`;
      await cloud.scheduler.send(new CreateScheduleCommand({ ...fill(given), Name }));
      return Name;
    },
    update: (Name: string, given: Given) => cloud.scheduler.send(new UpdateScheduleCommand({ Name, ...fill(given) })),
    get: (Name: string, GroupName = "default") => cloud.scheduler.send(new GetScheduleCommand({ Name, GroupName })),
    exists: async (Name: string) => {
      try {
        await cloud.scheduler.send(new GetScheduleCommand({ Name }));
        return true;
      } catch (error) {
        if (error instanceof Error && error.name === "ResourceNotFoundException") return false;
        throw error;
      }
    },
    remove: (Name: string) => cloud.scheduler.send(new DeleteScheduleCommand({ Name })),
  };
}
