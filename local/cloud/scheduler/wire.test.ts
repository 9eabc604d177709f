import { ListSchedulesCommand } from "@aws-sdk/client-scheduler";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credentials, region, startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { openSigner } from "../test-signer.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

/** A request as the SDK would sign it, whatever is in it. */
async function request(method: string, path: string, body = "", change: Record<string, string> = {}) {
  const signer = await openSigner(cloud.scheduler, cloud.endpoint);
  const headers = await signer.sign(method, path, { "content-type": "application/json" }, body);
  const init = { method, headers: { ...headers, ...change }, ...(body !== "" && { body }) };
  const response = await fetch(`${cloud.endpoint}${path}`, init);
  const answer = (await response.json()) as { Message?: string };
  return { status: response.status, error: response.headers.get("x-amzn-errortype"), message: answer.Message };
}

describe("a malformed request is answered with AWS's error", () => {
  it.each([
    ["JSON that is none", "POST", "/schedules/a", "{", 400, "SerializationException"],
    ["JSON of another kind", "POST", "/schedules/a", "[1]", 400, "SerializationException"],
    ["a number for a text", "POST", "/schedules/a", '{"ScheduleExpression":1}', 400, "SerializationException"],
    ["no body", "POST", "/schedules/a", "", 400, "ValidationException"],
    ["a list for a target", "POST", "/schedules/a", bodyWith({ Target: [] }), 400, "SerializationException"],
    ["null for a target", "POST", "/schedules/a", bodyWith({ Target: null }), 400, "ValidationException"],
    ["a text for a date", "POST", "/schedules/a", bodyWith({ StartDate: "today" }), 400, "ValidationException"],
    ["a date out of all bounds", "POST", "/schedules/a", bodyWith({ EndDate: -1e300 }), 400, "ValidationException"],
    ["half a window", "POST", "/schedules/a", bodyWith({ FlexibleTimeWindow: {} }), 400, "ValidationException"],
    ["a name with a path in it", "GET", "/schedules/..%2F..%2Fetc", "", 400, "ValidationException"],
    ["a name with a zero byte", "GET", "/schedules/a%00b", "", 400, "ValidationException"],
    ["no name", "GET", "/schedules/", "", 400, "ValidationException"],
    ["a name that an object has", "GET", "/schedules/__proto__", "", 404, "ResourceNotFoundException"],
    ["a group that an object has", "GET", "/schedule-groups/constructor", "", 404, "ResourceNotFoundException"],
    ["another method", "PATCH", "/schedules/a", "", 404, "UnknownOperationException"],
    ["another resource", "GET", "/timers", "", 404, "UnknownOperationException"],
    ["a body that is too large", "POST", "/schedules/a", "x".repeat(2_100_000), 413, "RequestEntityTooLarge"],
  ])("%s", async (_, method, path, body, status, error) => {
    expect(await request(method, path, body)).toMatchObject({ status, error });
  });

  it("a token for a page that nobody gave", async () => {
    await expect(cloud.scheduler.send(new ListSchedulesCommand({ NextToken: "%%%" }))).rejects.toMatchObject({
      name: "ValidationException",
    });
  });

  it("a body that was changed after it was signed", async () => {
    const change = { "x-amz-content-sha256": "0".repeat(64) };
    const answer = await request("POST", "/schedules/a", bodyWith({}), change);
    expect(answer).toMatchObject({ status: 403, error: "InvalidSignatureException" });
  });

  it("another secret", async () => {
    const { SchedulerClient } = await import("@aws-sdk/client-scheduler");
    const config = { endpoint: cloud.endpoint, region, maxAttempts: 1 };
    const stranger = new SchedulerClient({ ...config, credentials: { ...credentials, secretAccessKey: "other" } });
    await expect(stranger.send(new ListSchedulesCommand({}))).rejects.toMatchObject({
      name: "InvalidSignatureException",
    });
    stranger.destroy();
  });

  it("and the next request works", async () => {
    expect((await cloud.scheduler.send(new ListSchedulesCommand({}))).Schedules).toEqual([]);
  });
});

function bodyWith(change: object): string {
  return JSON.stringify({
    ScheduleExpression: "rate(1 days)",
    FlexibleTimeWindow: { Mode: "OFF" },
    Target: { Arn: "arn:aws:sqs:us-east-1:000000000000:q", RoleArn: "arn:aws:iam::000000000000:role/r" },
    ...change,
  });
}
