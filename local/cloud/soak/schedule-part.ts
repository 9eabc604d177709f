import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-scheduler";
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { CloudClients } from "../test-cloud.ts";
import type { SoakPart } from "./soak-part.ts";

const CREATORS = 2;
/** Schedules are due within this time after their creation, so that kills come before, during and after. */
const DUE_WITHIN_MS = 2_500;
/** One of so many is due in an hour, and deleted before. */
const CANCELLED = 4;
const ALL_INVOKED_WITHIN_MS = 20_000;
const MINUTE_MS = 60_000;

/** What clients know: schedules are numbered, each creator has its own numbers. */
type Facts = { asked: Set<number>; created: Set<number>; cancelled: Set<number> };

/**
 * One-time schedules whose target is a standard queue, which hides nothing: each must make exactly one message. Their
 * creation and deletion are repeated with the same client token until they are acknowledged. Beside them, a schedule
 * that is due every minute.
 */
export async function startSchedulePart({ scheduler, sqs }: CloudClients): Promise<SoakPart> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "soak-schedules" }));
  const facts: Facts = { asked: new Set(), created: new Set(), cancelled: new Set() };
  /** The ids of the messages with this body: a second id is a second invocation. */
  const messages = new Map<string, Set<string>>();
  const nameOf = (number: number) => `soak-${number}`;
  const isFar = (number: number) => number % CANCELLED === 0;
  const target = (Input: string) => ({
    Arn: "arn:aws:sqs:us-east-1:000000000000:soak-schedules",
    RoleArn: "arn:aws:iam::000000000000:role/soak",
    Input,
  });
  const FlexibleTimeWindow = { Mode: "OFF" as const };
  await scheduler.send(
    new CreateScheduleCommand({
      Name: "every-minute",
      ScheduleExpression: "rate(1 minute)",
      FlexibleTimeWindow,
      Target: target("<aws.scheduler.scheduled-time>"),
    }),
  );

  const createNext = async (number: number) => {
    facts.asked.add(number);
    // In the past for some: they are due at once. The same for a repetition, which is then the same request.
    const due = Math.floor(firstAskedAt(number) + (isFar(number) ? 3_600_000 : (number * 617) % DUE_WITHIN_MS));
    const command = new CreateScheduleCommand({
      Name: nameOf(number),
      ScheduleExpression: `at(${new Date(due).toISOString().slice(0, 19)})`,
      ActionAfterCompletion: "DELETE",
      FlexibleTimeWindow,
      Target: target(String(number)),
      ClientToken: `create-${number}`,
    });
    await scheduler.send(command);
    facts.created.add(number);
  };
  const askedAt = new Map<number, number>();
  const firstAskedAt = (number: number) => {
    const at = askedAt.get(number) ?? Date.now();
    askedAt.set(number, at);
    return at;
  };
  const creators = Array.from({ length: CREATORS }, (_, index) => {
    let number = index + 1;
    return async () => {
      await createNext(number);
      number += CREATORS;
    };
  });
  const cancelNext = async () => {
    const number = [...facts.created].find((number) => isFar(number) && !facts.cancelled.has(number));
    if (number === undefined) return sleep(10);
    const ClientToken = `delete-${number}`;
    await scheduler.send(new DeleteScheduleCommand({ Name: nameOf(number), ClientToken }));
    facts.cancelled.add(number);
  };
  const receive = async () => {
    const input = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, VisibilityTimeout: 2 };
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(input));
    for (const { Body = "", MessageId = "", ReceiptHandle } of Messages) {
      const ids = messages.get(Body) ?? new Set<string>();
      messages.set(Body, ids.add(MessageId));
      assert.equal(ids.size, 1, `schedule ${Body} was invoked twice`);
      assert(!/^\d+$/.test(Body) || facts.asked.has(Number(Body)), `schedule ${Body} was never created`);
      assert(!isFar(Number(Body)), `schedule ${Body} was invoked an hour early`);
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  };
  const exists = async (number: number) => {
    try {
      await scheduler.send(new GetScheduleCommand({ Name: nameOf(number) }));
      return true;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return false;
      throw error;
    }
  };
  const missing = () => [...facts.created].filter((number) => !isFar(number) && !messages.has(String(number)));

  return {
    name: "schedules",
    workers: [...creators, cancelNext, receive],
    check: async () => {
      for (const number of [...facts.cancelled].slice(-20)) {
        assert(!(await exists(number)), `schedule ${number} came back after its deletion`);
      }
      const kept = [...facts.created].filter((number) => isFar(number) && !facts.cancelled.has(number));
      // The last one may have been deleted without an answer.
      for (const number of kept.slice(1, 20)) assert(await exists(number), `schedule ${number} is lost`);
    },
    finish: async () => {
      const deadline = Date.now() + ALL_INVOKED_WITHIN_MS;
      while (missing().length > 0 && Date.now() < deadline) await receive();
      assert.deepEqual(missing(), [], "schedules that were never invoked");
      const minutes = [...messages.keys()].filter((body) => !/^\d+$/.test(body)).map((body) => Date.parse(body));
      const first = Math.min(...minutes);
      const expected = minutes.map((_, index) => first + index * MINUTE_MS);
      assert.deepEqual(
        minutes.sort((a, b) => a - b),
        expected,
      );
    },
    counts: () => ({
      schedulesCreated: facts.created.size,
      schedulesDeleted: facts.cancelled.size,
      invocations: messages.size,
    }),
  };
}
