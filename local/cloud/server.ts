import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { answer, reportFailure } from "./answer.ts";
import type { Exchange } from "./exchange.ts";
import { OpenRequests } from "./open-requests.ts";
import { periodically } from "./periodically.ts";
import { FORMAT, RECORD_KINDS } from "./records.ts";
import type { CloudRecord } from "./records.ts";
import { Blobs } from "./s3/blobs.ts";
import { Buckets } from "./s3/buckets.ts";
import { Expiry } from "./s3/expiry.ts";
import { KeyLocks } from "./key-locks.ts";
import type { S3Record } from "./s3/records.ts";
import { serveS3 } from "./s3/serve.ts";
import { sweepQueues } from "./sqs/expiry.ts";
import { Mover } from "./sqs/mover.ts";
import type { Queue } from "./sqs/queue.ts";
import { Queues } from "./sqs/queues.ts";
import type { SqsRecord } from "./sqs/records.ts";
import { serveSqs } from "./sqs/serve.ts";
import { Clockwork } from "./scheduler/clockwork.ts";
import type { Precision } from "./scheduler/due-at.ts";
import type { SchedulerRecord } from "./scheduler/records.ts";
import { Schedules } from "./scheduler/schedules.ts";
import { serveScheduler } from "./scheduler/serve.ts";
import { cloudStatus } from "./status.ts";
import { UnreadableDataError } from "./store/data-directory.ts";
import type { Transaction } from "./store/journal.ts";
import type { Captured } from "./store/snapshot.ts";
import { Store } from "./store/store.ts";
import type { Credentials } from "./verify-signature.ts";

type Options = {
  dataDir: string;
  /** 0 or absent: any free port. */
  port?: number;
  /** The address to listen on. Absent: 127.0.0.1, so that only this machine can connect. */
  host?: string;
  credentials: Credentials;
  region: string;
  /** When schedules invoke their targets. Absent: at once when they are due. */
  precision?: Precision;
  /** The clock, in Unix milliseconds. */
  now?: () => number;
};

export type Cloud = {
  /** `http://<host>:<port>`: for `AWS_ENDPOINT_URL_SQS`, `_S3` and `_SCHEDULER`. */
  endpoint: string;
  /** Resolves if the cloud can no longer keep anything: every write is refused from then on. */
  broken: Promise<Error>;
  /** Ends long polls, lets requests and invocations under way finish, and frees the data directory. */
  dispose: () => Promise<void>;
};

const SWEEP_EVERY_MS = 60_000;
/** What the journal may grow to before it is compacted: replaying as much takes about a second. */
const COMPACT_AFTER_BYTES = 32 * 1024 * 1024;

/**
 * Starts S3, SQS and the Scheduler on one port of this machine, with everything that was acknowledged before. Throws
 * `LockedError` when another process has the directory, `UnreadableDataError` when its data is damaged, or the system's
 * error.
 */
export async function startCloud(options: Options): Promise<Cloud> {
  const { dataDir, credentials, region, port = 0, host = "127.0.0.1", precision = "second", now = Date.now } = options;
  let onBroken: (error: Error) => void = reportFailure;
  const broken = new Promise<Error>((resolve) => {
    onBroken = resolve;
  });
  const blobs = new Blobs(join(dataDir, "blobs"));
  let replayed = false;
  const buckets = new Buckets(now, (blob) => {
    if (replayed) blobs.remove(blob).catch(reportFailure);
  });
  const queues = new Queues(now);
  const schedules = new Schedules(now, precision);
  const store = await Store.open<CloudRecord>({
    directory: dataDir,
    format: FORMAT,
    state: {
      apply: (record, payload) => {
        if (!Object.hasOwn(RECORD_KINDS, record.type)) {
          throw new UnreadableDataError(`${dataDir} holds a record of an unknown kind: ${record.type}`);
        }
        if (isS3Record(record)) buckets.apply(record, payload);
        else if (isSchedulerRecord(record)) schedules.apply(record, payload);
        else queues.apply(record, payload);
      },
      capture: () => inSequence<Captured<CloudRecord>>([queues.capture(), buckets.capture(), schedules.capture()]),
    },
    compactAfterBytes: COMPACT_AFTER_BYTES,
    onBroken,
    onCompactionFailed: (error) => {
      const reason = error instanceof Error ? error.message : String(error);
      reportFailure(`the journal could not be compacted, which is tried again when it has grown: ${reason}`);
    },
  });
  replayed = true;
  const commit = (transaction: Transaction<CloudRecord>) => store.commit(transaction);
  const sqs = { queues, commit, now, region };
  const s3 = { buckets, blobs, locks: new KeyLocks(), commit, now, region };
  const scheduler = { schedules, queues, locks: new KeyLocks(), commit, now, region };
  const mover = new Mover(sqs, reportFailure);
  const servingSqs = { ...sqs, startMoving: (queue: Queue) => mover.start(queue) };
  const services = {
    s3: (exchange: Exchange) => serveS3(s3, exchange),
    scheduler: (exchange: Exchange) => serveScheduler(scheduler, exchange),
    sqs: (exchange: Exchange) => serveSqs(servingSqs, exchange),
  };
  const requests = new OpenRequests();

  const server = createServer((request, response) => {
    const gone = requests.add(response);
    if (!gone) return response.destroy();
    return void answer(request, response, {
      status: () => cloudStatus(queues, buckets, schedules),
      serve: (exchange, service) => services[service](exchange),
      credentials,
      now,
      gone,
    });
  });
  // Clients keep their connections; one that is closed between two requests would cost them a retry.
  server.keepAliveTimeout = 0;
  // Uploads may take as long as they take.
  server.requestTimeout = 0;

  try {
    await blobs.prepare(buckets.usedBlobs());
    await listen(server, port, host);
  } catch (error) {
    await store.close();
    throw error;
  }
  mover.resume();
  const expiry = new Expiry(s3);
  const sweeping = periodically(
    async () => {
      await sweepQueues(sqs);
      schedules.forgetOld();
      await expiry.sweep();
    },
    SWEEP_EVERY_MS,
    reportFailure,
  );
  const address = `${host}:${(server.address() as AddressInfo).port}`;
  const clockwork = new Clockwork(scheduler, { host: address, onFailure: reportFailure });
  return {
    endpoint: `http://${address}`,
    broken,
    async dispose() {
      await sweeping.stop();
      await mover.stop();
      await Promise.all([clockwork.stop(), requests.end()]);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await store.close();
    },
  };
}

function isS3Record(record: CloudRecord): record is S3Record {
  return record.type.startsWith("s3.");
}

function isSchedulerRecord(record: SqsRecord | SchedulerRecord): record is SchedulerRecord {
  return record.type.startsWith("scheduler.");
}

function* inSequence<T>(parts: readonly Iterable<T>[]): Generator<T> {
  for (const part of parts) yield* part;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
