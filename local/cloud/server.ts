import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { answer, reportFailure } from "./answer.ts";
import { OpenRequests } from "./open-requests.ts";
import { Blobs } from "./s3/blobs.ts";
import { Buckets } from "./s3/buckets.ts";
import { KeyLocks } from "./s3/key-locks.ts";
import type { S3Record } from "./s3/records.ts";
import { serveS3 } from "./s3/serve.ts";
import { sweepQueues } from "./sqs/expiry.ts";
import { Queues } from "./sqs/queues.ts";
import type { SqsRecord } from "./sqs/records.ts";
import { serveSqs } from "./sqs/serve.ts";
import { cloudStatus } from "./status.ts";
import type { Transaction } from "./store/journal.ts";
import { Store } from "./store/store.ts";
import type { Credentials } from "./verify-signature.ts";

type Options = {
  dataDir: string;
  /** 0 or absent: any free port. */
  port?: number;
  credentials: Credentials;
  region: string;
  /** The clock, in Unix milliseconds. */
  now?: () => number;
};

export type Cloud = {
  /** `http://127.0.0.1:<port>`: for `AWS_ENDPOINT_URL_SQS` and `AWS_ENDPOINT_URL_S3`. */
  endpoint: string;
  /** Resolves if the cloud can no longer keep anything: every write is refused from then on. */
  broken: Promise<Error>;
  /** Ends long polls, lets requests under way finish, and frees the data directory. */
  dispose: () => Promise<void>;
};

const SWEEP_EVERY_MS = 60_000;
/** What the journal may grow to before it is compacted: replaying as much takes about a second. */
const COMPACT_AFTER_BYTES = 32 * 1024 * 1024;

/**
 * Starts S3 and SQS on 127.0.0.1, on one port, with everything that was acknowledged before. Throws `LockedError` when
 * another process has the directory, `UnreadableDataError` when its data is damaged, or the system's error.
 */
export async function startCloud(options: Options): Promise<Cloud> {
  const { dataDir, credentials, region, port = 0, now = Date.now } = options;
  let onBroken: (error: Error) => void = reportFailure;
  const broken = new Promise<Error>((resolve) => {
    onBroken = resolve;
  });
  const blobs = new Blobs(join(dataDir, "blobs"));
  let replayed = false;
  const buckets = new Buckets((blob) => {
    if (replayed) blobs.remove(blob).catch(reportFailure);
  });
  const queues = new Queues(now);
  const store = await Store.open<SqsRecord | S3Record>({
    directory: dataDir,
    state: {
      apply: (record, payload) => {
        if (isS3Record(record)) buckets.apply(record, payload);
        else queues.apply(record, payload);
      },
      capture: () => both(queues.capture(), buckets.capture()),
    },
    compactAfterBytes: COMPACT_AFTER_BYTES,
    onBroken,
    onCompactionFailed: reportFailure,
  });
  replayed = true;
  const commit = (transaction: Transaction<SqsRecord | S3Record>) => store.commit(transaction);
  const sqs = { queues, commit, now, region };
  const s3 = { buckets, blobs, locks: new KeyLocks(), commit, now, region };
  const requests = new OpenRequests();

  const server = createServer((request, response) => {
    const gone = requests.add(response);
    if (!gone) return response.destroy();
    return void answer(request, response, {
      status: () => cloudStatus(queues, buckets),
      serve: (exchange, service) => (service === "sqs" ? serveSqs(sqs, exchange) : serveS3(s3, exchange)),
      credentials,
      now,
      gone,
    });
  });
  // Clients keep their connections; one that is closed between two requests would cost them a retry.
  server.keepAliveTimeout = 0;
  // Uploads may take as long as they take.
  server.requestTimeout = 0;

  const sweep = setInterval(() => void sweepQueues(sqs).catch(reportFailure), SWEEP_EVERY_MS);
  try {
    await blobs.prepare(buckets.usedBlobs());
    await listen(server, port);
  } catch (error) {
    clearInterval(sweep);
    await store.close();
    throw error;
  }
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    broken,
    async dispose() {
      clearInterval(sweep);
      await requests.end();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await store.close();
    },
  };
}

function isS3Record(record: SqsRecord | S3Record): record is S3Record {
  return record.type.startsWith("s3.");
}

function* both<A, B>(first: Iterable<A>, second: Iterable<B>): Generator<A | B> {
  yield* first;
  yield* second;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}
