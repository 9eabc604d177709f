import { describe, expect, test } from "vitest";
import { execute } from "../../shared/db/pool.ts";
import { MAX_JOB_ITEMS, MAX_OPEN_JOBS } from "../../shared/jobs.ts";
import { startGateway } from "../testing/gateway.ts";

const gateway = await startGateway({ RATE_LIMIT_PER_MINUTE: "0" });
const { call, database, createDevice } = gateway;
const BASE = "/api/whatsapp-multi-device";
await createDevice("bulk");

const start = (body: unknown, deviceId = "bulk") =>
  call("POST", `${BASE}/devices/${deviceId}/jobs/send-text`, { body });
const messages = (count: number) => Array.from({ length: count }, (_, n) => ({ to: "081234567890", message: `${n}` }));
const results = (jobId: string, query: string) => call("GET", `${BASE}/jobs/${jobId}?${query}`);

describe("a job of 10,000 items", () => {
  test("is accepted, one of 10,001 is not, and its results come in pages without gaps", async () => {
    const tooMany = await start({ messages: messages(MAX_JOB_ITEMS + 1) });
    expect(tooMany.body.error).toMatchObject({ code: "validation_failed", details: [{ path: "body.messages" }] });
    const accepted = await start({ messages: messages(MAX_JOB_ITEMS) });
    expect(accepted).toMatchObject({ status: 202, body: { data: { status: "queued", total: MAX_JOB_ITEMS } } });
    const jobId = String(accepted.body.data["jobId"]);

    const before = await results(jobId, "page=1");
    expect(before.body.data).toMatchObject({ results: [], pagination: { total: 0, totalPages: 0 } });

    // As its host leaves it.
    const done = "UPDATE job_items SET state = 'accepted', payload = NULL, finished_at = NOW(3) WHERE job_id = ?";
    await execute(database.pool, done, [jobId]);
    const ended = "UPDATE jobs SET state = 'completed', succeeded = total, finished_at = NOW(3) WHERE job_id = ?";
    await execute(database.pool, ended, [jobId]);
    const seen = new Set<string>();
    for (let page = 1; page <= 10; page++) {
      const { data } = (await results(jobId, `page=${page}&pageSize=1000`)).body;
      expect(data["pagination"]).toEqual({ page, pageSize: 1000, total: MAX_JOB_ITEMS, totalPages: 10 });
      for (const { messageId } of data["results"] as { messageId: string }[]) seen.add(messageId);
    }
    expect(seen.size).toBe(MAX_JOB_ITEMS);
    expect((await results(jobId, "page=11&pageSize=1000")).body.data["results"]).toEqual([]);
    expect((await results(jobId, "")).body.data["results"]).toHaveLength(100);
    expect((await results(jobId, "pageSize=1001")).body.error.details).toMatchObject([{ path: "query.pageSize" }]);
  });
});

describe("a delay", () => {
  test.each([
    [undefined, null],
    [0, 0],
    [0.25, 0.25],
    [3_600, 3_600],
  ])("of %s s is answered as %s", async (delay, delaySec) => {
    const { status, body } = await start({ messages: messages(1), delay });
    expect([status, body.data["delaySec"]]).toEqual([202, delaySec]);
  });

  test.each([-0.1, 3_600.1, "3", null])("of %s is refused", async (delay) => {
    const { status, body } = await start({ messages: messages(1), delay });
    expect([status, body.error.details?.[0]?.path]).toEqual([400, "body.delay"]);
  });
});

test("what is no phone number is taken with the others, as it was written", async () => {
  const bad = ["", "0812 3456 7890", "siapa"];
  const { status, body } = await start({ messages: bad.map((to) => ({ to, message: "Halo" })) });
  expect([status, body.data["total"]]).toEqual([202, 3]);
  const long = await start({ messages: [{ to: "0".repeat(101), message: "Halo" }] });
  expect(long.body.error.details).toMatchObject([{ path: "body.messages.0.to" }]);
});

test("a device has at most 100 jobs that wait, and another one is not held up by them", async () => {
  await createDevice("crowded");
  const jobs = await Promise.all(
    Array.from({ length: MAX_OPEN_JOBS }, () => start({ messages: messages(1) }, "crowded")),
  );
  expect(new Set(jobs.map(({ status }) => status))).toEqual(new Set([202]));
  const refused = await start({ messages: messages(1) }, "crowded");
  expect(refused).toMatchObject({ status: 429, body: { error: { code: "too_many_requests" } } });
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await start({ messages: messages(1) })).status).toBe(202);
});
