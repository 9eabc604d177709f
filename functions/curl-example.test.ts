import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { curlExample } from "./curl-example.ts";
import type { Operation } from "./openapi.ts";

const operation: Operation = {
  operationId: "sendMessage",
  tags: [],
  summary: "",
  description: "",
  security: [],
  parameters: [],
  responses: {},
};

/** What a shell makes of the line, curl being a program that prints its arguments. */
function argumentsOf(line: string): string[] {
  const script = `curl() { for one in "$@"; do printf '%s\\0' "$one"; done; }; ${line}`;
  const env = { BASE_URL: "http://localhost:4000", TOKEN: "secret" };
  return execFileSync("bash", ["-c", script], { env, encoding: "utf8" }).split("\0").slice(0, -1);
}

test("a shell reads the example as the request, quotes and all", () => {
  const body = { message: `it's "Halo" $HOME \`ls\` \\ ` };
  const requestBody = { required: true, content: { "application/json": { schema: {}, example: body } } };
  const line = curlExample("post", "/devices/{deviceId}/send-message", { ...operation, requestBody });
  expect(argumentsOf(line)).toEqual([
    "-X",
    "POST",
    "http://localhost:4000/devices/{deviceId}/send-message",
    "-H",
    "Authorization: Bearer secret",
    "-H",
    "Content-Type: application/json",
    "-d",
    JSON.stringify(body),
  ]);
});

test("what needs neither token nor body has neither", () => {
  const { security: _open, ...open } = operation;
  expect(argumentsOf(curlExample("get", "/health", open))).toEqual(["-X", "GET", "http://localhost:4000/health"]);
});
