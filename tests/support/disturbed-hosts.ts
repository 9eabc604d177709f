import { startHttpProxy } from "./http-proxy.ts";
import type { HttpProxy } from "./http-proxy.ts";
import { startTcpProxy } from "./tcp-proxy.ts";
import type { TcpProxy } from "./tcp-proxy.ts";

type Environment = Record<string, string | undefined>;
/** The ways of one host to what it stands on. S3 has two, one after the other: slow or refusing, and cut or silent. */
export type Ways = { database: TcpProxy; s3: TcpProxy; sqs: TcpProxy; slowS3: HttpProxy };

/** Gives each host of a stack ways of its own, to be disturbed one by one. `hostEnvironment` is for `startStack`. */
export function disturbedHosts() {
  const ways = new Map<number, Ways>();
  return {
    async hostEnvironment(number: number, environment: Environment): Promise<Environment> {
      const endpoint = environment["AWS_ENDPOINT_URL_S3"] ?? "";
      const { hostname, port } = new URL(endpoint);
      const cloud = { host: hostname, port: Number(port) };
      const url = new URL(environment["DATABASE_URL"] ?? "");
      const path = url.searchParams.get("socketPath");
      const server = path ? { path } : { host: url.hostname, port: Number(url.port) };
      const slowS3 = await startHttpProxy(endpoint);
      const s3 = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(slowS3.url).port) });
      const sqs = await startTcpProxy(cloud);
      const database = await startTcpProxy(server);
      ways.set(number, { database, s3, sqs, slowS3 });
      url.searchParams.delete("socketPath");
      url.host = `127.0.0.1:${database.port}`;
      return {
        ...environment,
        DATABASE_URL: url.href,
        AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${s3.port}`,
        AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${sqs.port}`,
        COMMAND_QUEUE_URLS: environment["COMMAND_QUEUE_URLS"]?.replaceAll(endpoint, `http://127.0.0.1:${sqs.port}`),
      };
    },
    /** @param number 1, 2, … */
    of(number: number): Ways {
      const found = ways.get(number);
      if (!found) throw new Error(`there is no host ${number}`);
      return found;
    },
    async close(): Promise<void> {
      for (const { database, s3, sqs, slowS3 } of ways.values()) {
        await Promise.all([database.close(), s3.close(), sqs.close(), slowS3.close()]);
      }
    },
  };
}
