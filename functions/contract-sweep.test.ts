/**
 * Every operation of `/openapi.json` with requests made of its own schemas, right and wrong ones: the answer is one that
 * the document names (the gateway looks), never a 5xx, and what the document does not allow is not accepted.
 * `npm run soak:api` makes ten times as many.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as users from "../shared/db/users.ts";
import { allRoutes } from "./areas.ts";
import { openApiDocument } from "./openapi.ts";
import { startGateway } from "./testing/gateway.ts";
import { inputsOf } from "./testing/inputs.ts";

const RUNS = Number(process.env["SWEEP_RUNS"] ?? 200);
/** The same requests in every run of the tests, others in each soak. */
const SEED = process.env["SWEEP_RUNS"] === undefined ? { seed: 1 } : {};
/** Each right request of these hashes a password, which takes as long as a hundred requests: a few will do. */
const HASHING = new Set(["login", "changePassword", "createUser", "changeUser"]);
const MOST_HASHES = 5;
const TIMEOUT_MS = RUNS * 600;

const gateway = await startGateway({ SYNC_WAIT_MS: "1", RATE_LIMIT_PER_MINUTE: "0" });
await users.update(gateway.database, gateway.userId, { role: "admin" });
const document = openApiDocument(await allRoutes(gateway.services.config));
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: operation.operationId, method, path, operation })),
);

/** Segments that a URL drops or changes, so that another route would be asked. */
const isSegment = (text: string) => !/^\.{0,2}$/.test(text) && !/\0|\p{Surrogate}/u.test(text);
const isHeader = (value: string) => /^[\x20-\x7e]*$/.test(value);

test.each(operations)(
  "$name answers as it is documented, whatever it is asked",
  async ({ name, method, path, operation }) => {
    const { inputs, isRight } = inputsOf(operation, document);
    const device = await gateway.createDevice(`sweep-${name}`);
    let past = 0;
    let hashes = 0;
    const seen = new Set<string>();
    const property = fc.asyncProperty(inputs, fc.boolean(), async (input, isKnown) => {
      const known = isKnown && "deviceId" in input.path ? { deviceId: device } : {};
      const segments: Record<string, string> = { ...input.path, ...known };
      fc.pre(Object.values(segments).every(isSegment) && Object.values(input.header).every(isHeader));
      const isDocumented = isRight({ ...input, path: segments });
      if (HASHING.has(name) && isDocumented && hashes++ >= MOST_HASHES) return;
      const query = new URLSearchParams(input.query).toString();
      const url = `${path.replaceAll(/\{(\w+)\}/g, (_all, key: string) => encodeURIComponent(segments[key] ?? ""))}?${query}`;
      // To read the same again tells nothing new: what takes few inputs, or none, is soon done.
      const asked = JSON.stringify([url, input.header]);
      if (method === "get" && seen.has(asked)) return;
      seen.add(asked);
      const body = input.body === undefined ? {} : { body: input.body };
      const response = await gateway.ask(method.toUpperCase(), url, { headers: input.header, ...body });
      if (response.status !== 400) past++;
      // Nobody holds the shards here.
      if (response.status >= 500 && name !== "ready") throw new Error(`${method} ${url} answered ${response.status}`);
      if (response.ok && !isDocumented) {
        throw new Error(`${method} ${url} accepted what it does not document: ${input.body}`);
      }
    });
    await fc.assert(property, { numRuns: RUNS, ...SEED });
    expect(past, "no request came past the validation").toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
