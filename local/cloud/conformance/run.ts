import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startCloud } from "../server.ts";
import type { ConformanceCase } from "./case.ts";
import { DEVIATIONS } from "./deviations.ts";
import { runCases } from "./run-cases.ts";
import type { TargetOptions } from "./target.ts";

/**
 * `run.ts [--s3 URL] [--sqs URL] [--scheduler URL] [--target NAME] [--region R] [--key ID --secret S] [--role ARN]`: holds
 * the services at these endpoints against what AWS documents. `--s3 aws` means the service of AWS itself. Without any
 * endpoint it starts a local cloud of its own. Exits with 1 when something failed that is not on the target's list.
 */
const text = { type: "string" } as const;
const { values } = parseArgs({
  options: { s3: text, sqs: text, scheduler: text, target: text, region: text, key: text, secret: text, role: text },
});
const region = values.region ?? "us-east-1";
const roleArn = values.role ?? "arn:aws:iam::000000000000:role/scheduler";
const print = (line: string) => process.stdout.write(`${line}\n`);
const SERVICES = ["s3", "sqs", "scheduler"] as const;

async function run(
  name: string,
  services: readonly ConformanceCase["service"][],
  target: TargetOptions,
): Promise<void> {
  const deviations = DEVIATIONS[name];
  if (!deviations) throw new Error(`there is no target "${name}"; there are: ${Object.keys(DEVIATIONS).join(", ")}`);
  const results = await runCases({
    ...target,
    services,
    deviations,
    onResult: ({ outcome, name, reason, ms }) => {
      if (outcome !== "skipped")
        print(`${outcome.padEnd(8)} ${name} (${ms} ms)${reason ? `\n         ${reason}` : ""}`);
    },
  });
  const count = (outcome: string) => results.filter((result) => result.outcome === outcome).length;
  print(
    ["passed", "deviates", "conforms", "failed", "skipped"].map((outcome) => `${count(outcome)} ${outcome}`).join(", "),
  );
  if (count("failed") + count("conforms") > 0) process.exitCode = 1;
}

async function runAgainstOwnCloud(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "cloud-"));
  const credentials = { accessKeyId: "conformance", secretAccessKey: "conformance-secret" };
  const cloud = await startCloud({ dataDir, credentials, region });
  try {
    const endpoints = { s3: cloud.endpoint, sqs: cloud.endpoint, scheduler: cloud.endpoint };
    await run("local", SERVICES, { endpoints, region, credentials, roleArn });
  } finally {
    await cloud.dispose();
    await rm(dataDir, { recursive: true });
  }
}

const services = SERVICES.filter((service) => values[service] !== undefined);
if (services.length === 0) {
  await runAgainstOwnCloud();
} else {
  const endpoints = Object.fromEntries(
    services.filter((service) => values[service] !== "aws").map((service) => [service, values[service]]),
  );
  const { key: accessKeyId, secret: secretAccessKey } = values;
  const credentials = accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {};
  await run(values.target ?? "aws", services, { endpoints, region, roleArn, ...credentials });
}
