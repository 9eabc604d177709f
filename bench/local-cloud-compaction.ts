import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { connect } from "../local/cloud/test-cloud.ts";
import { startCloudProcess } from "../local/cloud/test-process.ts";
import { fillCloud, MUCH } from "./support/fill-cloud.ts";
import { inParallel } from "./support/in-parallel.ts";
import { percentile } from "./support/percentile.ts";
import { memoryMb } from "./support/process-usage.ts";
import { report } from "./support/report.ts";

const COMPACTIONS = 3;
const WRITERS = 4;
const BODY = "x".repeat(15_000);

type Sample = { ms: number; compacting: boolean };

/**
 * What a client notices of a compaction of a local cloud with a lot in it: reads and small writes, one after the other,
 * while others overwrite objects until the journal has been compacted some times.
 */
async function localCloudCompaction(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "cloud-"));
  const { child, endpoint = "", stop } = await startCloudProcess(dataDir);
  const clients = connect(endpoint);
  const { s3, close } = clients;
  await fillCloud(clients, endpoint);
  await s3.send(new PutObjectCommand({ Bucket: "bench", Key: "probe", Body: "x" }));

  const compactions: number[] = [];
  let since: number | undefined;
  const look = async () => {
    const names = await readdir(dataDir);
    const compacting = names.some((name) => name.endsWith(".tmp"));
    if (compacting) since ??= performance.now();
    else if (since !== undefined) {
      compactions.push(performance.now() - since);
      since = undefined;
    }
    return compacting;
  };
  // One that the filling began is not counted.
  while (await look());
  compactions.length = 0;

  const samples = { reads: [] as Sample[], writes: [] as Sample[] };
  const probe = async (kind: Sample[], call: () => Promise<unknown>) => {
    const before = await look();
    const startedAt = performance.now();
    await call();
    const ms = performance.now() - startedAt;
    kind.push({ ms, compacting: before || (await look()) });
  };
  const enough = new AbortController();
  const write = async (writer: number) => {
    for (let index = 0; !enough.signal.aborted; index += 1) {
      await s3.send(new PutObjectCommand({ Bucket: "bench", Key: `large-${writer}-${index % 25}`, Body: BODY }));
    }
  };
  const measure = async () => {
    while (compactions.length < COMPACTIONS) {
      await probe(samples.reads, () => s3.send(new HeadObjectCommand({ Bucket: "bench", Key: "probe" })));
      await probe(samples.writes, () => s3.send(new PutObjectCommand({ Bucket: "bench", Key: "probe", Body: "x" })));
    }
    enough.abort();
  };
  await Promise.all([measure(), inParallel(WRITERS, WRITERS, write)]);

  const side = (kind: Sample[], compacting: boolean) => {
    const ms = kind.filter((sample) => sample.compacting === compacting).map((sample) => sample.ms);
    return { samples: ms.length, p50Ms: percentile(ms, 0.5), p99Ms: percentile(ms, 0.99), maxMs: Math.max(...ms) };
  };
  await report("local-cloud-compaction", {
    holds: MUCH,
    compactionsMs: compactions.map(Math.round),
    reads: { compacting: side(samples.reads, true), otherwise: side(samples.reads, false) },
    writes: { compacting: side(samples.writes, true), otherwise: side(samples.writes, false) },
    peakMemoryMb: (await memoryMb(child.pid ?? 0)).peak,
  });
  close();
  await stop("SIGTERM");
  await rm(dataDir, { recursive: true });
}

await localCloudCompaction();
