import { randomUUID } from "node:crypto";
import type { Action, SqsContext } from "./context.ts";
import { invalidParameter, resourceNotFound, unsupportedOperation } from "./errors.ts";
import { optionalInteger, optionalText, requiredText } from "./input.ts";
import type { Input } from "./input.ts";
import type { MoveTask } from "./move-task.ts";
import { queueArn, queueByArn } from "./queue-names.ts";
import type { Queue } from "./queue.ts";

/** API reference, StartMessageMoveTask and ListMessageMoveTasks. */
const FASTEST_PER_SECOND = 500;
const MOST_RESULTS = 10;

export const startMessageMoveTask: Action = async (context, { input }) => {
  const source = sourceOf(context, input);
  const destinationArn = optionalText(input, "DestinationArn");
  const messagesPerSecond = optionalInteger(input, "MaxNumberOfMessagesPerSecond", 1, FASTEST_PER_SECOND);
  const isDeadLetterQueue = [...context.queues.byName.values()].some(
    ({ settings }) => settings.redrive?.target === source.name,
  );
  if (!isDeadLetterQueue) throw invalidParameter("Source queue must be configured as a Dead Letter Queue.");
  const destination = destinationArn === undefined ? undefined : destinationOf(context, source, destinationArn);
  if (source.moveTasks.some(({ status }) => status === "RUNNING")) {
    throw unsupportedOperation(
      "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
    );
  }
  source.reveal();
  const handle = randomUUID();
  const task: MoveTask = {
    handle,
    startedAt: context.now(),
    toMove: source.counts.available,
    moved: 0,
    status: "RUNNING",
    ...(destination && { destination: destination.name }),
    ...(messagesPerSecond !== undefined && { messagesPerSecond }),
  };
  await context.commit({ records: [{ type: "sqs.moveTask", queue: source.name, ...task }] });
  context.startMoving(source);
  return { output: { TaskHandle: handle } };
};

export const cancelMessageMoveTask: Action = async (context, { input }) => {
  const handle = requiredText(input, "TaskHandle");
  const queue = [...context.queues.byName.values()].find(({ moveTasks }) => findTask(moveTasks, handle));
  const task = queue && findTask(queue.moveTasks, handle);
  if (!queue || !task) throw resourceNotFound("Task does not exist.");
  if (task.status !== "RUNNING") throw unsupportedOperation("Only active tasks can be cancelled.");
  await context.commit({ records: [{ type: "sqs.moveTask", queue: queue.name, handle, status: "CANCELLED" }] });
  return { output: { ApproximateNumberOfMessagesMoved: task.moved } };
};

/** The newest first. A handle is given only for what can still be cancelled. */
export const listMessageMoveTasks: Action = async (context, { input }) => {
  const source = sourceOf(context, input);
  const max = optionalInteger(input, "MaxResults", 1, MOST_RESULTS) ?? 1;
  const tasks = source.moveTasks.slice(-max).reverse();
  return { output: { Results: tasks.map((task) => describe(context, source, task)) } };
};

function describe({ region }: SqsContext, source: Queue, task: MoveTask): object {
  const { handle, destination, messagesPerSecond, failureReason, status } = task;
  return {
    ...(status === "RUNNING" && { TaskHandle: handle }),
    Status: status,
    SourceArn: queueArn(region, source.name),
    ...(destination !== undefined && { DestinationArn: queueArn(region, destination) }),
    ...(messagesPerSecond !== undefined && { MaxNumberOfMessagesPerSecond: messagesPerSecond }),
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    ...(failureReason !== undefined && { FailureReason: failureReason }),
    StartedTimestamp: task.startedAt,
  };
}

function findTask(tasks: readonly MoveTask[], handle: string): MoveTask | undefined {
  return tasks.find((task) => task.handle === handle);
}

function sourceOf({ queues }: SqsContext, input: Input): Queue {
  const source = queueByArn(queues, requiredText(input, "SourceArn"));
  if (source) return source;
  throw resourceNotFound("The resource that you specified for the SourceArn parameter doesn't exist.");
}

function destinationOf({ queues }: SqsContext, source: Queue, arn: string): Queue {
  const destination = queueByArn(queues, arn);
  if (!destination) {
    throw resourceNotFound("The resource that you specified for the DestinationArn parameter doesn't exist.");
  }
  if (destination === source) throw invalidParameter("Source queue and destination queue must be different.");
  if (destination.fifo === source.fifo) return destination;
  throw invalidParameter("Source queue and destination queue must be of the same type.");
}
