import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { REPOSITORY } from "../../local/repository.ts";
import { FAULTS, patchesOf } from "./faults.ts";
import { runTool } from "../../local/checks.ts";
import { ofType, one } from "./graph.ts";
import type { Graph } from "./graph.ts";
import { installPlatform } from "./platform.ts";
import { resourcesPage } from "./resources-page.ts";
import { rules, SECRETS } from "./rules.ts";
import { synthesize } from "./synthesize.ts";

const INSTALL_TIMEOUT_MS = 300_000;
const SYNTHESIS_TIMEOUT_MS = 120_000;

/** Why SST's components cannot be had; everything here rests on them. */
const missing = await installPlatform();
const make = (stage: string, more: object = {}) => synthesize({ stage, secrets: SECRETS, ...more });

describe.skipIf(missing)(
  `the infrastructure${missing ? ` (${missing})` : ""}`,
  () => {
    it(
      "has the types of SST and of the provider",
      async () => {
        expect(await runTool("types", "typescript", "tsc", ["--project", "infra"])).toMatchObject({ passed: true });
      },
      SYNTHESIS_TIMEOUT_MS,
    );

    for (const stage of ["production", "alice"]) {
      describe(`of the stage ${stage}`, () => {
        let graph: Graph;
        beforeAll(async () => {
          graph = await make(stage);
        }, SYNTHESIS_TIMEOUT_MS);

        it("asks nothing that the stand-in for AWS does not know", () => {
          expect([graph.unknownCalls, graph.unknownRequests]).toEqual([[], []]);
        });

        it.each(Object.entries(rules))("%s", (_, rule) => {
          expect(rule(graph)).toEqual([]);
        });

        it.runIf(stage === "production")(
          "docs/resources.md is what a deploy makes (make it anew with: npm test -- infra -u)",
          async () => {
            await expect(resourcesPage(graph)).toMatchFileSnapshot("../../docs/resources.md");
          },
        );

        it("has no alarm that docs/operations.md does not explain", async () => {
          const page = await readFile(join(REPOSITORY, "docs/operations.md"), "utf8");
          const alarms = ofType(graph, "aws:cloudwatch/metricAlarm:MetricAlarm").map(({ name }) => name);
          expect(alarms.filter((name) => !page.includes(`\`${name.replace(/\d+/, "")}\``))).toEqual([]);
        });

        it("can be removed only if it is a personal one", () => {
          const isProduction = stage === "production";
          expect(graph.app).toMatchObject({ removal: isProduction ? "retain" : "remove", protect: isProduction });
          expect(one(graph, "aws:s3/bucket:Bucket", "StateBucket").inputs["forceDestroy"]).toBe(!isProduction);
        });
      });
    }

    it(
      "of `sst dev` leaves the hosts, the functions and the database to the developer's machine",
      async () => {
        const graph = await make("alice", { dev: true });
        expect(graph.devCommands["SocketHostDev"]?.command).toBe("node --import tsx socket-host/main.ts");
        expect(graph.liveFunctions).toContain("Api");
        expect(ofType(graph, "aws:ecs/service:Service")).toEqual([]);
        expect(ofType(graph, "aws:rds/instance:Instance")).toEqual([]);
        expect(rules["no security group admits the internet"]?.(graph)).toEqual([]);
      },
      SYNTHESIS_TIMEOUT_MS,
    );

    describe("when a fault is put into it", () => {
      let graph: Graph;
      beforeAll(async () => {
        graph = await make("production", { patches: patchesOf(Object.values(FAULTS)) });
      }, SYNTHESIS_TIMEOUT_MS);

      it.each(Object.entries(FAULTS))("%s is noticed", (_, { rule, says }) => {
        expect(rules[rule]?.(graph).join("\n")).toContain(says);
      });
    });

    it.each([
      [
        "a handler that does not exist",
        "infra/api.ts",
        '"functions/api.handler"',
        '"functions/gone.handler"',
        "Handler not found",
      ],
      [
        "a function that is not exported",
        "infra/api.ts",
        '"functions/api.handler"',
        '"functions/api.main"',
        "not exported",
      ],
      ["memory that Fargate does not have for the processor", "infra/socket-host.ts", '"2 GB"', '"16 GB"', "memory"],
    ])(
      "%s stops the deploy",
      async (_, file, from, to, says) => {
        const patches = { [file]: (source: string) => source.replace(from, to) };
        await expect(make("production", { patches })).rejects.toThrow(says);
      },
      SYNTHESIS_TIMEOUT_MS,
    );

    it(
      "a missing secret stops the deploy and is named",
      async () => {
        await expect(make("alice", { secrets: {} })).rejects.toThrow("StateEncryptionKey");
      },
      SYNTHESIS_TIMEOUT_MS,
    );
  },
  INSTALL_TIMEOUT_MS,
);
