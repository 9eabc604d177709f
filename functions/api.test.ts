import type { APIGatewayProxyResult, LambdaContext, LambdaEvent } from "hono/aws-lambda";
import { expect, test, vi } from "vitest";
import { startGateway } from "./testing/gateway.ts";

const gateway = await startGateway();

/** An HTTP API's event in payload format 2.0. */
function event(method: string, path: string, body?: string): LambdaEvent {
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: "",
    headers: {
      authorization: `Bearer ${gateway.token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    requestContext: {
      accountId: "1",
      apiId: "api",
      authorizer: {},
      domainName: "api.example.com",
      domainPrefix: "api",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "test" },
      requestId: "1",
      routeKey: "$default",
      stage: "$default",
      time: "",
      timeEpoch: 0,
      authentication: null,
    },
    isBase64Encoded: body !== undefined,
    body: body === undefined ? null : Buffer.from(body).toString("base64"),
  };
}

test("the function answers an HTTP API's events", async () => {
  const settings = { ...gateway.environment, DATABASE_URL: gateway.services.config.database.url, LOG_LEVEL: "silent" };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  const { handler } = await import("./api.ts");
  const invoke = async (question: LambdaEvent) =>
    (await handler(question, {} as LambdaContext)) as APIGatewayProxyResult & { headers: Record<string, string> };

  const created = await invoke(event("POST", "/api/whatsapp-multi-device/devices", '{"deviceId":"lambda"}'));
  expect(created.statusCode).toBe(201);
  const list = await invoke(event("GET", "/api/whatsapp-multi-device/devices"));
  expect(JSON.parse(list.body)).toMatchObject({ success: true, data: { devices: [{ deviceId: "lambda" }] } });
  expect((await invoke(event("GET", "/nowhere"))).statusCode).toBe(404);
});
