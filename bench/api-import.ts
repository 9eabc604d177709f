import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { bundleFunction, functionOptions } from "../infra/testing/bundle-function.ts";
import { percentile } from "./support/percentile.ts";
import { report } from "./support/report.ts";

const RUNS = 15;
/** What any API of this kind needs, used as little as possible: it has to be there for the bundle to have it. */
const PARTS_ALONE = `
  import { SQSClient } from "@aws-sdk/client-sqs";
  import { Hono } from "hono";
  import { handle } from "hono/aws-lambda";
  import mysql from "mysql2/promise";
  import * as z from "zod";
  const body = z.object({ to: z.string() });
  const pool = mysql.createPool({ host: "127.0.0.1" });
  const sqs = new SQSClient({});
  const app = new Hono();
  app.post("/", async (c) => c.json({ to: body.parse(await c.req.json()), pool: typeof pool, sqs: typeof sqs }));
  export const handler = handle(app);`;
const SETTINGS = {
  PATH: "",
  NODE_ENV: "production",
  AWS_REGION: "us-east-1",
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  DATABASE_URL: "mysql://root@127.0.0.1:1/none",
  COMMAND_QUEUE_URLS: "http://127.0.0.1:1/0/a.fifo",
  SCHEDULER_GROUP: "messages",
  SCHEDULER_ROLE_ARN: "arn:aws:iam::000000000000:role/scheduler",
  SCHEDULER_DEAD_LETTER_ARN: "arn:aws:sqs:us-east-1:000000000000:schedules-dead",
  DELIVERY_QUEUE_URL: "http://127.0.0.1:1/0/b",
  WEBHOOK_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString("base64"),
  MEDIA_BUCKET: "media",
  SESSION_SECRET: "5f1d9c3b7a2e4860d1c2b3a495867768",
};

/** How long the API's bundle takes to be imported by a new process, beside one of the packages that it cannot do without. */
async function apiImport(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "api-import-"));
  try {
    const alone = join(directory, "alone.mjs");
    const stdin = { contents: PARTS_ALONE, resolveDir: import.meta.dirname };
    await build({ ...functionOptions, stdin, outdir: directory, entryNames: "alone" });
    const ofFunction = join(directory, "api");
    const { file: api } = await bundleFunction("functions/api.handler", ofFunction);
    const ofApi: Import[] = [];
    const ofAlone: Import[] = [];
    for (let run = 0; run < RUNS; run++) {
      ofApi.push(await measureImport(api));
      ofAlone.push(await measureImport(alone));
    }
    const median = (imports: Import[], of: keyof Import) =>
      Math.round(
        percentile(
          imports.map((one) => one[of]),
          0.5,
        ),
      );
    const compare = (of: keyof Import) => {
      const [apiMs, partsAloneMs] = [median(ofApi, of), median(ofAlone, of)];
      return { apiMs, partsAloneMs, ratio: Number((apiMs / partsAloneMs).toFixed(2)) };
    };
    const bytes = (file: string) => readFile(file).then((content) => gzipSync(content).length);
    const parts = await readdir(ofFunction);
    const bytesOfParts = await Promise.all(parts.map((name) => bytes(join(ofFunction, name))));
    await report("api-import", {
      runs: RUNS,
      time: compare("wallMs"),
      // What the processor did: other load on the machine counts less.
      processorTime: compare("processorMs"),
      apiGzippedBytes: bytesOfParts.reduce((sum, size) => sum + size, 0),
      partsAloneGzippedBytes: await bytes(alone),
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

type Import = { wallMs: number; processorMs: number };

/** In a new process, without what it takes to start node. */
async function measureImport(file: string): Promise<Import> {
  const program = `${file}.run.mjs`;
  const code = `const startedAt = performance.now();
    const before = process.cpuUsage();
    await import(${JSON.stringify(file)});
    const { user, system } = process.cpuUsage(before);
    const measured = { wallMs: performance.now() - startedAt, processorMs: (user + system) / 1000 };
    process.stdout.write(JSON.stringify(measured), () => process.exit());`;
  await writeFile(program, code);
  const { stdout, stderr } = spawnSync(process.execPath, [program], { env: SETTINGS, encoding: "utf8" });
  if (!stdout) throw new Error(`${file} cannot be imported: ${stderr}`);
  return JSON.parse(stdout) as Import;
}

await apiImport();
process.exit();
