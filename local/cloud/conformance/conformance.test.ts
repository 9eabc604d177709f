import { afterAll, beforeAll, expect, it } from "vitest";
import { credentials, region, startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { DEVIATIONS } from "./deviations.ts";
import { runCases } from "./run-cases.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

it("the local cloud does what AWS documents, but for what is on its list", { timeout: 60_000 }, async () => {
  const { endpoint } = cloud;
  const results = await runCases({
    endpoints: { s3: endpoint, sqs: endpoint, scheduler: endpoint },
    region,
    credentials,
    roleArn: "arn:aws:iam::000000000000:role/scheduler",
    services: ["s3", "sqs", "scheduler"],
    deviations: DEVIATIONS["local"] ?? {},
  });
  const unexpected = results.filter(({ outcome }) => outcome !== "passed" && outcome !== "deviates");
  expect(unexpected).toEqual([]);
});
