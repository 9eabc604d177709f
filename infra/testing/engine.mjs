// Runs sst.config.ts on Pulumi's mock engine and writes the graph of all resources. Bundled together with SST's
// components by synthesize.ts and run in a process of its own, as SST's command line does it.
import { writeFileSync } from "node:fs";
import { ComponentResource, output, runtime } from "@pulumi/pulumi";
import { answers, attributes, anyArn } from "./stand-ins.mjs";

/** Pulumi wraps secrets in an object with this key (pulumi SDK, rpc.ts); the rules look at what is inside. */
const SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d";

function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET_SIGNATURE in value) return plain(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

const settled = (value) =>
  new Promise((resolve) => {
    output(value).apply(resolve);
  });

/** @param {{ app: string, stage: string, resultFile: string }} place */
export async function recordGraph({ app, stage, resultFile }, program) {
  const resources = [];
  const unknownCalls = new Set();
  const told = [];
  let failure;
  const fail = (error) => {
    failure ??= error;
  };
  process.on("unhandledRejection", fail);
  process.on("uncaughtException", fail);
  // A failure inside a component often leaves others waiting for ever.
  process.on("exit", () => {
    if (failure) process.stderr.write(`${failure.stack ?? failure}\n`);
  });

  await runtime.setMocks(
    {
      newResource({ type, name, inputs, custom, id }) {
        const known = plain(inputs);
        const made = attributes[type]?.(name, known) ?? (custom ? { arn: anyArn(type, name) } : {});
        resources.push({ type, name, custom: Boolean(custom), inputs: known });
        return { id: id || made.id || `${name}-id`, state: { ...(custom && { name }), ...inputs, ...made } };
      },
      call({ token, inputs }) {
        const answer = answers[token];
        if (!answer) unknownCalls.add(token);
        return answer ? answer(inputs) : inputs;
      },
    },
    app,
    stage,
    false,
    "organization",
  );

  // This is how components tell the command line of links and of what `sst dev` runs.
  const registerOutputs = ComponentResource.prototype.registerOutputs;
  ComponentResource.prototype.registerOutputs = function (outputs) {
    told.push({ type: this.__pulumiType, name: this.__name, outputs });
    return registerOutputs.call(this, outputs);
  };

  let stackOutputs;
  try {
    stackOutputs = await runtime.runInPulumiStack(program);
  } catch (error) {
    fail(error);
  }

  // Everything has settled when there is nothing left to do.
  let isWritten = false;
  process.on("beforeExit", async () => {
    if (isWritten) return;
    isWritten = true;
    if (failure) {
      process.exitCode = 1;
      return;
    }
    const devCommands = {};
    for (const { type, name, outputs } of told) {
      if (!/DevCommand/.test(type ?? "")) continue;
      const dev = (await settled(outputs))?._dev;
      if (dev) devCommands[name] = plain(dev);
    }
    const graph = { resources, devCommands, outputs: plain(stackOutputs), unknownCalls: [...unknownCalls] };
    writeFileSync(
      resultFile,
      JSON.stringify(graph, (_, value) => (typeof value === "bigint" ? String(value) : value)),
    );
  });
}
