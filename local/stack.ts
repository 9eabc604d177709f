import { join } from "node:path";
import { openDatabase } from "../shared/db/pool.ts";
import { migrate } from "../shared/db/migrate.ts";
import { ensureFirstAdmin } from "../shared/first-admin.ts";
import {
  delivererName,
  hostName,
  SOURCES,
  startApi,
  startCloud,
  startDeliverer,
  startHost,
  startSimulator,
} from "./children.ts";
import { diskFull, openDataDir } from "./data-dir.ts";
import type { DataDir } from "./data-dir.ts";
import { prepareGivenDatabase } from "./database/given-database.ts";
import { startDatabase } from "./database/start-database.ts";
import { baseEnvironment, serviceEnvironment } from "./environment.ts";
import type { Environment } from "./environment.ts";
import { ensureLauncherToken } from "./launcher-token.ts";
import { endLeftovers, rememberProcesses } from "./leftovers.ts";
import { keepLogsSmall } from "./log-file.ts";
import { buildPrograms } from "./programs.ts";
import { provision } from "./provision.ts";
import type { Aws } from "./provision.ts";
import { removeRunFile } from "./run-file.ts";
import { loadSecrets } from "./secrets.ts";
import { createSupervisor } from "./supervisor.ts";
import type { NamedProcess } from "./supervisor.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

export type StackOptions = {
  /** Made if it is missing; everything that the installation keeps. One stack at a time. */
  dataDir: string;
  /** With the simulator in the place of WhatsApp. */
  simulator: boolean;
  /** Socket hosts; 1 if not given. */
  hosts?: number;
  /** Processes that deliver events; 1 if not given. */
  deliverers?: number;
  /** The API's port; 0, any free one, if not given. */
  port?: number;
  /** A database of the operator's instead of a private one. */
  databaseUrl?: string;
  leaseDurationMs?: number;
  /** Settings for the API and the hosts over those of this process, by the names of `shared/config.ts`. */
  environment?: Environment;
  /** Changes the settings of one host, 1, 2, …, such as the ways to its database, buckets and queues. */
  hostEnvironment?: (number: number, environment: Environment) => Promise<Environment>;
  /** Told, in one line each, of long steps and of children that ended and were started again. */
  report?: (line: string) => void;
  /** Told of all processes after each change among them. */
  onChange?: (processes: NamedProcess[]) => void;
  /** Told when the data directory was taken away: the stack is to be disposed of. */
  onLost?: (reason: string) => void;
  /** Ends a start that is under way: what was started is stopped, and `startStack` rejects. */
  signal?: AbortSignal;
};

export type Stack = {
  apiUrl: string;
  token: string;
  login: { username: string; password: string };
  simulatorUrl: string | undefined;
  databaseUrl: string;
  aws: Aws;
  processes(): NamedProcess[];
  /** Sends a signal to a process: `database`, `local-cloud`, `simulator`, `api`, `deliverer`, `socket-host-1`, … It is started again. */
  kill(name: string, signal: NodeJS.Signals): void;
  /** Stops everything in order and lets the data directory go. */
  dispose(): Promise<void>;
};

const REGION = "us-east-1";
const ADMIN = "admin";
const LOOPBACK_HOSTS = "localhost,127.0.0.1,::1";

/**
 * Starts the whole product on this machine and resolves when it answers and every shard has its host. Nothing keeps
 * running when it rejects; an expected reason is a `LaunchError`. Everything dies with this process.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const dataDir = await openDataDir(options.dataDir, options.onLost ?? (() => undefined));
  const report = options.report ?? (() => undefined);
  let written = Promise.resolve();
  const supervisor = createSupervisor({
    report,
    onChange: (processes) => {
      options.onChange?.(processes);
      // It only helps the start after a crash: a disk that is full is noticed elsewhere.
      written = written.then(() => rememberProcesses(dataDir.path, processes)).catch(() => undefined);
    },
  });
  const stopRotation = keepLogsSmall(dataDir.logs);
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  const hosts = upTo(options.hosts ?? 1);
  const deliverers = upTo(options.deliverers ?? 1);

  /** What takes work first, what others stand on last. */
  async function dispose(): Promise<void> {
    await supervisor.stop("api");
    await Promise.all([...hosts.map(hostName), ...deliverers.map(delivererName)].map((name) => supervisor.stop(name)));
    await Promise.all([supervisor.stop("simulator"), supervisor.stop("local-cloud")]);
    await supervisor.stop("database");
    await written;
    stopRotation();
    await dataDir.release();
  }

  try {
    return { ...(await startAll(dataDir)), processes: supervisor.processes, kill: supervisor.kill, dispose };
  } catch (error) {
    await dispose();
    throw (await dataDir.isFull()) ? diskFull(dataDir.path, 0, error) : error;
  }

  /** The operator's server, or a private one. @returns the database's URL */
  async function openServer(directory: string): Promise<string> {
    if (options.databaseUrl) {
      await prepareGivenDatabase(options.databaseUrl);
      return options.databaseUrl;
    }
    const server = await supervisor.start("database", () => startDatabase({ dataDir: directory, report }));
    return server.url;
  }

  async function startAll({ path, logs }: DataDir) {
    await removeRunFile(path);
    await endLeftovers(path, report, options.signal);
    const secrets = await loadSecrets(path);
    options.signal?.throwIfAborted();
    const access = { region: REGION, ...secrets.aws };
    const base = baseEnvironment(access, options.environment ?? {});

    const programs = buildPrograms(SOURCES, join(path, "programs"));
    const place = { supervisor, dataDir: path, logs, programs, signal: options.signal };
    const [database, cloud, simulator] = await together([
      async () => {
        const url = await openServer(path);
        return { url, username: await prepareTables(url, secrets.adminPassword, secrets.apiToken) };
      },
      async () => {
        const aws = { ...access, endpoint: await startCloud(place, base) };
        return { aws, provisioned: await provision(aws) };
      },
      async () => (options.simulator ? startSimulator(place, base) : undefined),
    ]);

    options.signal?.throwIfAborted();
    const services = {
      ...serviceEnvironment(base, cloud.aws, cloud.provisioned, database.url),
      // Who tries the product out has a receiver and files on this machine.
      ...(simulator && { ALLOWED_PRIVATE_HOSTS: base["ALLOWED_PRIVATE_HOSTS"] || LOOPBACK_HOSTS }),
    };
    const webhookKey = { WEBHOOK_ENCRYPTION_KEY: base["WEBHOOK_ENCRYPTION_KEY"] || secrets.webhookKey };
    const SESSION_SECRET = base["SESSION_SECRET"] || secrets.sessionSecret;
    const apiEnvironment = { ...services, ...webhookKey, SESSION_SECRET };
    const hostEnvironment = {
      ...services,
      STATE_BUCKET: cloud.provisioned.stateBucket,
      STATE_ENCRYPTION_KEY: secrets.stateEncryptionKey,
      ...(options.leaseDurationMs && { LEASE_DURATION_MS: String(options.leaseDurationMs) }),
      ...(simulator && {
        WA_WEB_SOCKET_URL: simulator.wsUrl,
        WA_TRUST_ROOT: simulator.rootPublicKey,
        WA_MEDIA_ORIGIN: simulator.url,
      }),
    };
    const [apiUrl] = await together([
      () => startApi(place, apiEnvironment, options.port ?? 0),
      ...deliverers.map((number) => () => startDeliverer(place, { ...services, ...webhookKey }, number)),
      ...hosts.map((number) => async () => {
        const HOST_ID = `${secrets.installation}-${hostName(number)}`;
        const environment = { ...hostEnvironment, HOST_ID };
        await startHost(place, (await options.hostEnvironment?.(number, environment)) ?? environment, number);
      }),
    ]);

    await waitUntilReady(apiUrl, report, options.signal);
    return {
      apiUrl,
      token: secrets.apiToken,
      login: { username: database.username, password: secrets.adminPassword },
      simulatorUrl: simulator?.url,
      databaseUrl: database.url,
      aws: cloud.aws,
    };
  }
}

/** Migrations, and the first administrator. @returns the administrator's name */
async function prepareTables(url: string, adminPassword: string, apiToken: string): Promise<string> {
  const database = openDatabase({ url, poolSize: 1 });
  try {
    await migrate(database);
    const { userId, username } = await ensureFirstAdmin(database, ADMIN, () => adminPassword);
    await ensureLauncherToken(database, userId, apiToken);
    return username;
  } finally {
    await database.close();
  }
}

type Results<Steps extends readonly (() => Promise<unknown>)[]> = {
  -readonly [Index in keyof Steps]: Awaited<ReturnType<Steps[Index]>>;
};

/** Runs steps side by side. Waits for all of them even when one fails, so that none starts something afterwards. */
async function together<const Steps extends readonly (() => Promise<unknown>)[]>(
  steps: Steps,
): Promise<Results<Steps>> {
  const outcomes = await Promise.allSettled(steps.map((step) => step()));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
  return outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : undefined)) as Results<Steps>;
}
