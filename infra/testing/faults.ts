import type { rules } from "./rules.ts";

/** A mistake in the configuration, and the rule that must notice it, with a part of what it says. */
export type Fault = { file: string; from: string | RegExp; to: string; rule: keyof typeof rules; says: string };

/** They do not get into each other's way, so one synthesis has them all. */
export const FAULTS: Record<string, Fault> = {
  "a queue without dead letters": {
    file: "infra/queues.ts",
    from: "dlq: { queue: commandsDead.arn, retry: MAX_RECEIVES },",
    to: "...(shard > 0 && { dlq: { queue: (shard === 1 ? wrongKind : commandsDead).arn, retry: MAX_RECEIVES } }),",
    rule: "every queue has a dead-letter queue",
    says: "Commands0Queue",
  },
  "a standard dead-letter queue on a FIFO queue": {
    file: "infra/queues.ts",
    from: "export const commandQueues =",
    to: 'const wrongKind = deadLetterQueue("WrongDead", false);\nexport const commandQueues =',
    rule: "a dead-letter queue is of the kind of its queue and keeps messages 14 days",
    says: "Commands1Queue",
  },
  "no deduplication by content": {
    file: "infra/queues.ts",
    from: "fifo: { contentBasedDeduplication: true },",
    to: "fifo: { contentBasedDeduplication: shard !== 2 },",
    rule: "FIFO queues take their deduplication id from the content, by group, at high throughput",
    says: "Commands2Queue",
  },
  "a wildcard permission": {
    file: "infra/permissions.ts",
    from: 'actions: ["sqs:SendMessage", "sqs:GetQueueAttributes"]',
    to: 'actions: ["sqs:*"]',
    rule: "no role has a wildcard action, or one on every resource",
    says: "ApiRole: sqs:*",
  },
  "the state bucket readable by the API": {
    file: "infra/permissions.ts",
    from: "resources: [$interpolate`${mediaBucket.arn}/*`]",
    to: "resources: [$interpolate`${mediaBucket.arn}/*`, $interpolate`${stateBucket.arn}/*`]",
    rule: "nobody but the socket host touches device state",
    says: "ApiRole",
  },
  "a secret linked into the container": {
    file: "infra/socket-host.ts",
    from: "permissions: [takeCommands",
    to: "link: [databaseSecrets],\n    permissions: [takeCommands",
    rule: "no secret can be read in a task definition, a function's variables or the build of an image",
    says: "SocketHostTask",
  },
  "a secret handed to the build of the image": {
    file: "infra/socket-host.ts",
    from: "import { hostParameters, hostSecretsInDev }",
    to: "import { databaseSecrets, hostParameters, hostSecretsInDev }",
    rule: "no secret can be read in a task definition, a function's variables or the build of an image",
    says: "SocketHostImage",
  },
  "a public bucket": {
    file: "infra/storage.ts",
    from: 'privateBucket("Media", false)',
    to: 'new sst.aws.Bucket("Media", { access: "public", cors: false })',
    rule: "every bucket is closed to the public and to plain HTTP",
    says: "MediaBucket",
  },
  "an overlapping deployment without hand-over": {
    file: "infra/socket-host.ts",
    from: "stopTimeout: STOP_TIMEOUT_SECONDS,",
    to: "",
    rule: "a deploy starts new hosts before it ends old ones, and these have time to hand over",
    says: "stop time-out 30 s",
  },
  "a shell before node in the container": {
    file: "infra/socket-host.ts",
    from: "permissions: [takeCommands",
    to: 'command: ["sh", "-c", "node host.mjs"],\n    permissions: [takeCommands',
    rule: "SIGTERM reaches node: it is process 1, as the image starts it",
    says: "stands before it",
  },
  "MySQL without TLS": {
    file: "infra/database.ts",
    from: '{ name: "require_secure_transport", value: "ON" },',
    to: "",
    rule: "TLS is demanded by the server and used by everybody",
    says: "plain connections",
  },
  "a pool that the database cannot carry": {
    file: "infra/functions.ts",
    from: 'FUNCTION_POOL_SIZE = "2"',
    to: 'FUNCTION_POOL_SIZE = "10"',
    rule: "it has connections for all who may connect at once",
    says: "are wanted",
  },
  "a forgotten setting": {
    file: "infra/settings.ts",
    from: /export const hostSettings = \{\n {2}\.\.\.databaseSettings,\n {2}COMMAND_QUEUE_URLS: commandQueueUrls,/,
    to: "export const hostSettings = {\n  ...databaseSettings,",
    rule: "every process can start with the settings that it is given",
    says: "socket-host: COMMAND_QUEUE_URLS",
  },
  "a queue that nobody watches": {
    file: "infra/alarms.ts",
    from: "commandQueues.entries()) {",
    to: "commandQueues.slice(1).entries()) {",
    rule: "every dead-letter queue is watched for messages, every other for old ones",
    says: "Commands0Queue",
  },
  "a delivery queue without dead letters": {
    file: "infra/queues.ts",
    from: 'visibilityTimeout: "60 seconds",\n  dlq: { queue: deliveriesDead.arn, retry: MAX_RECEIVES },',
    to: 'visibilityTimeout: "30 seconds",',
    rule: "every queue has a dead-letter queue",
    says: "DeliveriesQueue",
  },
  "a batch of deliveries that comes again as a whole": {
    file: "infra/deliver.ts",
    from: 'functionResponseTypes: ["ReportBatchItemFailures"],',
    to: "",
    rule: "deliveries: a failed webhook comes again alone, and no message is seen twice or thrown at a function that is full",
    says: "all of a batch",
  },
  "a sweep that nobody starts": {
    file: "infra/sweep.ts",
    from: 'scheduleExpression: "rate(1 minute)",',
    to: 'scheduleExpression: "rate(1 minute)",\n  state: "DISABLED",',
    rule: "the sweep runs each minute, one at a time, and ends before the next",
    says: "it does not",
  },
  "a timer that may start everything": {
    file: "infra/sweep.ts",
    from: "resources: [sweep.arn] }]",
    to: 'resources: ["*"] }]',
    rule: "the timer of the sweep may start it and nothing else",
    says: "InvokeFunction on *",
  },
  "a scheduler's role that reaches other queues": {
    file: "infra/scheduler.ts",
    from: "resources: [...commandQueueArns, schedulesDead.arn]",
    to: "resources: [...commandQueueArns]",
    rule: "the scheduler's role can be worn by our schedules only, and sends only to the command queues",
    says: "reaches other queues",
  },
  "media that never expire": {
    file: "infra/storage.ts",
    from: '{ id: "media", status: "Enabled", filter: { prefix: "media/" }, expiration: { days: 30 } },',
    to: "",
    rule: "everything in the media bucket expires",
    says: "results",
  },
  "hosts without a way out": {
    file: "infra/socket-host.ts",
    from: "assignPublicIp: true",
    to: "assignPublicIp: false",
    rule: "hosts can be reached by nobody and reach everything",
    says: "no way out",
  },
};

/** The faults as changes to files, several to one file. */
export function patchesOf(faults: readonly Fault[]): Record<string, (source: string) => string> {
  const byFile = new Map<string, Fault[]>();
  for (const fault of faults) byFile.set(fault.file, [...(byFile.get(fault.file) ?? []), fault]);
  return Object.fromEntries(
    [...byFile].map(([file, ofFile]) => [
      file,
      (source: string) =>
        ofFile.reduce((text, { from, to }) => {
          const changed = text.replace(from, to);
          if (changed === text) throw new Error(`${file} has changed: ${String(from)} is not there`);
          return changed;
        }, source),
    ]),
  );
}
