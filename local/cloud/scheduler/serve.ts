import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { AwsError } from "../aws-error.ts";
import { readBody } from "../body.ts";
import type { Exchange } from "../exchange.ts";
import { parseInput } from "../sqs/input.ts";
import type { SchedulerAction, SchedulerContext } from "./context.ts";
import { createScheduleGroup, deleteScheduleGroup, getScheduleGroup, listScheduleGroups } from "./group-actions.ts";
import { listSchedules } from "./list-schedules.ts";
import { createSchedule, deleteSchedule, getSchedule, updateSchedule } from "./schedule-actions.ts";

/** By method and resource; the service model, `http` of each operation. */
const ACTIONS = new Map<string, SchedulerAction>([
  ["GET /schedules", listSchedules],
  ["POST /schedules/", createSchedule],
  ["GET /schedules/", getSchedule],
  ["PUT /schedules/", updateSchedule],
  ["DELETE /schedules/", deleteSchedule],
  ["GET /schedule-groups", listScheduleGroups],
  ["POST /schedule-groups/", createScheduleGroup],
  ["GET /schedule-groups/", getScheduleGroup],
  ["DELETE /schedule-groups/", deleteScheduleGroup],
]);

/** 256 KiB of input, every character of it escaped in JSON (`\u0009`), and the fields around it. */
const LONGEST_BODY_BYTES = 2 * 1024 * 1024;

/** Answers one request of the REST-JSON protocol. Throws `AwsError`. */
export async function serveScheduler(context: SchedulerContext, exchange: Exchange): Promise<void> {
  const { request, response, url } = exchange;
  const body = await readBody(request, LONGEST_BODY_BYTES);
  exchange.verify(createHash("sha256").update(body).digest("hex"));
  const [, resource = "", name = ""] = /^(\/[^/]*\/?)([^]*)$/.exec(url.path) ?? [];
  const action = ACTIONS.get(`${request.method} ${resource}`);
  if (!action) {
    throw new AwsError("UnknownOperationException", 404, `${request.method} ${url.path} is no operation.`);
  }
  sendJson(response, 200, await action(context, { name, input: parseInput(body), query: url.query }));
}

/** The SDK takes the error's name from the header. */
export function sendSchedulerError(response: ServerResponse, error: AwsError): void {
  response.setHeader("x-amzn-errortype", error.code === "InternalError" ? "InternalServerException" : error.code);
  sendJson(response, error.status, { Message: error.message });
}

function sendJson(response: ServerResponse, status: number, output: object): void {
  const body = Buffer.from(JSON.stringify(output));
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}
