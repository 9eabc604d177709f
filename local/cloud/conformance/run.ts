import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { S3Client } from "@aws-sdk/client-s3";
import { loadConformanceEndpoints } from "../../../shared/config.ts";
import { startCloud } from "../server.ts";
import type { ConformanceCase } from "./case.ts";
import { DEVIATIONS } from "./deviations.ts";
import { runCases } from "./run-cases.ts";
import type { TargetOptions } from "./target.ts";

/**
 * `run.ts [--s3 URL] [--sqs URL] [--scheduler URL] [--target NAME] [--region R] [--key ID --secret S] [--role ARN]`: holds
 * the services at these endpoints (or at S3_ENDPOINT, SQS_ENDPOINT, SCHEDULER_ENDPOINT) against what AWS documents.
 * `--s3 aws` means the service of AWS itself. Without any endpoint it starts a local cloud of its own. Exits with 1 when
 * something failed that is not on the target's list, or nothing could be run.
 */
const USAGE = `usage: npm run conformance [-- [--s3 URL|aws] [--sqs URL|aws] [--scheduler URL|aws]
  [--target ${Object.keys(DEVIATIONS).join("|")}] [--region REGION] [--key ID --secret SECRET] [--role ARN]]
Without an endpoint (flag, or S3_ENDPOINT, SQS_ENDPOINT, SCHEDULER_ENDPOINT) it starts a local cloud for itself.`;
const SERVICES = ["s3", "sqs", "scheduler"] as const;
type Service = (typeof SERVICES)[number];

const print = (line: string) => process.stdout.write(`${line}\n`);

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function readFlags() {
  const text = { type: "string" } as const;
  const flags = { s3: text, sqs: text, scheduler: text, target: text, key: text, secret: text };
  const defaults = {
    region: { ...text, default: "us-east-1" },
    role: { ...text, default: "arn:aws:iam::000000000000:role/scheduler" },
  };
  try {
    return parseArgs({ options: { ...flags, ...defaults, help: { type: "boolean" } } }).values;
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

const values = readFlags();
if (values.help) {
  print(USAGE);
  process.exit(0);
}

async function run(name: string, services: readonly ConformanceCase["service"][], target: TargetOptions) {
  const deviations = DEVIATIONS[name] ?? fail(`there is no target "${name}"\n${USAGE}`);
  const where = services.map((service) => `${service} at ${target.endpoints[service] ?? "AWS"}`);
  print(`${where.join(", ")}; expected deviations: those of "${name}"`);
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

const { region, role: roleArn } = values;

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

async function runAgainst(given: Readonly<Partial<Record<Service, string>>>): Promise<void> {
  const { key: accessKeyId, secret: secretAccessKey, target = "aws" } = values;
  const credentials = accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined;
  if (!credentials) {
    // All cases would fail for the same reason.
    await new S3Client({ region }).config
      .credentials()
      .catch(() => fail(`no credentials: give --key and --secret\n${USAGE}`));
  }
  const services = SERVICES.filter((service) => given[service] !== undefined);
  const endpoints = Object.fromEntries(Object.entries(given).filter(([, endpoint]) => endpoint !== "aws"));
  await run(target, services, { endpoints, region, roleArn, ...(credentials && { credentials }) });
}

const given = { ...loadConformanceEndpoints(), ...values };
const endpoints = Object.fromEntries(
  SERVICES.flatMap((service) => (given[service] ? [[service, given[service]]] : [])),
);
await (Object.keys(endpoints).length === 0 ? runAgainstOwnCloud() : runAgainst(endpoints));
