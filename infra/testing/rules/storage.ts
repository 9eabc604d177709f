import { ofType, one, statementsOf } from "../graph.ts";
import type { Graph } from "../graph.ts";
import { unless } from "./rule.ts";
import type { Rule } from "./rule.ts";

const BUCKET = "aws:s3/bucket:Bucket";

/** The settings of a kind that belong to a bucket. */
function settingsOf(graph: Graph, kind: string, bucket: string) {
  const type = `aws:s3/bucket${kind}:Bucket${kind}`;
  return ofType(graph, type).find(({ inputs }) => inputs["bucket"] === bucket)?.inputs;
}

const eachBucket = (graph: Graph, check: (name: string, bucket: string) => string[]) =>
  ofType(graph, BUCKET).flatMap(({ name, inputs }) => check(name, String(inputs["bucket"])));

export const storageRules: Record<string, Rule> = {
  "there is a bucket for device state and one for media": (graph) =>
    ["StateBucket", "MediaBucket"].flatMap((name) => unless(Boolean(one(graph, BUCKET, name)), name)),

  "every bucket is closed to the public and to plain HTTP": (graph) =>
    eachBucket(graph, (name, bucket) => {
      const block = settingsOf(graph, "PublicAccessBlock", bucket) ?? {};
      const isBlocked = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"].every(
        (setting) => block[setting] === true,
      );
      const statements = statementsOf(String(settingsOf(graph, "Policy", bucket)?.["policy"] ?? '{"Statement":[]}'));
      const isTlsOnly = statements.some(
        ({ Effect, Condition }) => Effect === "Deny" && Condition?.["Bool"]?.["aws:SecureTransport"]?.includes("false"),
      );
      const isGranted = statements.some(({ Effect }) => Effect === "Allow");
      return [
        ...unless(isBlocked && !isGranted, `${name} can be made public`),
        ...unless(isTlsOnly, `${name} takes plain HTTP`),
      ];
    }),

  "every bucket is encrypted and takes no request of a browser script": (graph) =>
    eachBucket(graph, (name, bucket) => [
      ...unless(Boolean(settingsOf(graph, "ServerSideEncryptionConfiguration", bucket)), `${name} is not encrypted`),
      ...unless(!settingsOf(graph, "CorsConfiguration", bucket), `${name} has CORS`),
    ]),

  "device state is versioned, and only log entries and old versions of it expire": (graph) => {
    const bucket = String(one(graph, BUCKET, "StateBucket").inputs["bucket"]);
    const versioning = settingsOf(graph, "Versioning", bucket)?.["versioningConfiguration"]?.status;
    const rules = (settingsOf(graph, "LifecycleConfiguration", bucket)?.["rules"] ?? []) as Record<string, unknown>[];
    const expiring = rules.filter((rule) => rule["expiration"]).map((rule) => JSON.stringify(rule["filter"]));
    return [
      ...unless(versioning === "Enabled", "it is not versioned"),
      ...unless(expiring.join() === '{"prefix":"log/"}', `what expires is ${expiring.join()}`),
    ];
  },

  "everything in the media bucket expires": (graph) => {
    const bucket = String(one(graph, BUCKET, "MediaBucket").inputs["bucket"]);
    const rules = (settingsOf(graph, "LifecycleConfiguration", bucket)?.["rules"] ?? []) as {
      filter: { prefix?: string };
      expiration?: { days: number };
    }[];
    const days = Object.fromEntries(rules.map((rule) => [rule.filter.prefix ?? "*", rule.expiration?.days]));
    const wanted = { "results/": 1, "uploads/": 1, "received/": 30, "media/": 30 };
    const isRight = Object.entries(wanted).every(([prefix, count]) => days[prefix] === count);
    return unless(isRight, JSON.stringify(days));
  },

  "a removal of the production stack leaves the buckets": (graph) =>
    graph.app.stage !== "production"
      ? []
      : ofType(graph, BUCKET).flatMap(({ name, inputs }) => unless(inputs["forceDestroy"] === false, name)),
};
