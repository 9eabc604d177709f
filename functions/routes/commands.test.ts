import { afterAll, expect, test } from "vitest";
import { dispatch } from "../../shared/dispatch.ts";
import { startGateway } from "../testing/gateway.ts";
import { startHost } from "../testing/host.ts";

const COMMANDS = "/api/whatsapp-multi-device/commands";
const gateway = await startGateway();
const { call, createDevice, services, userId } = gateway;
const host = await startHost(gateway.database, gateway.queues, async () => undefined);
afterAll(() => host.stop());

async function newCommand(name: string) {
  const deviceId = await createDevice(name);
  const { command } = await dispatch(services, { deviceId, userId, shard: 0 }, { kind: "connect" });
  return command;
}

test("a finished command tells its result", async () => {
  const command = await newCommand("finished");
  await host.finish(command, { state: "done", result: { phoneNumber: "628111222333" } });
  const { status, body } = await call("GET", `${COMMANDS}/${command.commandId}`);
  expect(status).toBe(200);
  expect(body.data).toMatchObject({
    commandId: command.commandId,
    deviceId: "finished",
    kind: "connect",
    status: "done",
    result: { phoneNumber: "628111222333" },
    createdAt: expect.any(String),
    finishedAt: expect.any(String),
  });
  expect(body.data).not.toHaveProperty("error");
});

test("a failed command tells why, in the host's words or else in the caller's language", async () => {
  const told = await newCommand("told");
  await host.finish(told, { state: "failed", errorCode: "not_connected", errorDetail: "closed by the user" });
  const withWords = await call("GET", `${COMMANDS}/${told.commandId}`);
  expect(withWords.body.data["error"]).toEqual({ code: "not_connected", message: "closed by the user" });

  const silent = await newCommand("silent");
  await host.finish(silent, { state: "failed", errorCode: "unheard_of" });
  const english = await call("GET", `${COMMANDS}/${silent.commandId}`, { headers: { "accept-language": "en" } });
  expect(english.body.data["error"]).toEqual({ code: "refused_by_whatsapp", message: "WhatsApp refused the request" });
});

test("an unknown command and another user's are not found", async () => {
  const command = await newCommand("private");
  const token = await gateway.stranger();
  for (const [path, question] of [
    ["cmd_0", {}],
    [command.commandId, { token }],
  ] as const) {
    const answer = await call("GET", `${COMMANDS}/${path}`, question);
    expect(answer).toMatchObject({ status: 404, body: { error: { code: "command_not_found" } } });
  }
});

test.each(["c".repeat(41), "%C3%A9", "cmd!"])("a commandId like %s is named", async (commandId) => {
  const { status, body } = await call("GET", `${COMMANDS}/${commandId}`);
  expect(status).toBe(400);
  expect(body.error.details?.map(({ path }) => path)).toEqual(["params.commandId"]);
});
