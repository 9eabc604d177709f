import type { Stack } from "../../local/stack.ts";
import type { Ways } from "./disturbed-hosts.ts";

/** What goes wrong, for how long is up to the caller: `begin`, and what ends it again. */
export type Disturbance = { name: string; begin: (stack: Stack, first: Ways, second: Ways) => () => void };

/** Each befalls the first of two hosts, or both where a service itself is meant. */
export const DISTURBANCES: Disturbance[] = [
  {
    name: "frozen, then awake again",
    begin(stack) {
      stack.kill("socket-host-1", "SIGSTOP");
      return () => {
        // Its watchdog may have been faster.
        if (stack.processes().some(({ name }) => name === "socket-host-1")) stack.kill("socket-host-1", "SIGCONT");
      };
    },
  },
  { name: "cut off from MySQL", begin: (_, { database }) => cut(database) },
  { name: "MySQL silent", begin: (_, { database }) => stall(database) },
  { name: "cut off from S3", begin: (_, { s3 }) => cut(s3) },
  { name: "S3 silent", begin: (_, { s3 }) => stall(s3) },
  { name: "cut off from SQS", begin: (_, { sqs }) => cut(sqs) },
  { name: "SQS silent", begin: (_, { sqs }) => stall(sqs) },
  { name: "S3 takes 2 s a call", begin: (_, first, second) => disturb([first, second], { delayMs: 2_000 }) },
  {
    name: "S3 refuses 5 % with 503",
    begin: (_, first, second) => disturb([first, second], { refusedShare: 0.05 }),
  },
  {
    name: "MySQL dies and comes back",
    begin(stack) {
      stack.kill("database", "SIGKILL");
      return () => undefined;
    },
  },
];

type Proxy = Ways["database"];
function cut(proxy: Proxy) {
  proxy.set("cut");
  return () => proxy.set("pass");
}
function stall(proxy: Proxy) {
  proxy.set("stall");
  return () => proxy.set("pass");
}
function disturb(ways: Ways[], how: Parameters<Ways["slowS3"]["disturb"]>[0]) {
  for (const { slowS3 } of ways) slowS3.disturb(how);
  return () => {
    for (const { slowS3 } of ways) slowS3.disturb({});
  };
}
