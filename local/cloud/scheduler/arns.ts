import { ACCOUNT } from "../sqs/queue-names.ts";
import type { ScheduleId } from "./records.ts";

export function scheduleArn(region: string, { group, name }: ScheduleId): string {
  return `arn:aws:scheduler:${region}:${ACCOUNT}:schedule/${group}/${name}`;
}

export function groupArn(region: string, name: string): string {
  return `arn:aws:scheduler:${region}:${ACCOUNT}:schedule-group/${name}`;
}
