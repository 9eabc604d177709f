import { expect, test } from "vitest";
import { allRoutes } from "./areas.ts";
import { docsPage } from "./docs-page.ts";
import { openApiDocument } from "./openapi.ts";
import { apiConfig } from "./testing/api-config.ts";

const routes = await allRoutes(apiConfig);
const document = openApiDocument(routes);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ title: `${method} ${path}`, operation })),
);

const BASE = "/api/whatsapp-multi-device";
const DATA = "/api/whatsapp";
const DEVICE = `${BASE}/devices/{deviceId}`;

test("every route is in the document", () => {
  expect(operations.map(({ title }) => title).toSorted()).toEqual(
    [
      "post /api/auth/login",
      "post /api/auth/logout",
      "get /api/auth/session",
      "put /api/auth/password",
      "get /api/auth/tokens",
      "post /api/auth/tokens",
      "put /api/auth/tokens/{id}",
      "delete /api/auth/tokens/{id}",
      "get /api/auth/users",
      "post /api/auth/users",
      "put /api/auth/users/{id}",
      "delete /api/auth/users/{id}",
      "get /api/auth/users/{id}/devices",
      "put /api/auth/users/{id}/devices",
      "get /api/auth/audit",
      "get /api/webhooks",
      "post /api/webhooks",
      "get /api/webhooks/{id}",
      "put /api/webhooks/{id}",
      "delete /api/webhooks/{id}",
      "post /api/webhooks/{id}/test",
      "post /api/webhooks/{id}/rotate-secret",
      "post /api/webhooks/{id}/replay",
      "get /api/webhooks/{id}/deliveries",
      "post /api/webhooks/deliveries/{id}/redeliver",
      "get /api/whatsapp/chatbots",
      "post /api/whatsapp/chatbots",
      "put /api/whatsapp/chatbots/{id}/status",
      "delete /api/whatsapp/chatbots/{id}",
      "put /api/whatsapp/chatbots/{whatsapp_number}/endpoint",
      `post ${BASE}/devices`,
      `get ${BASE}/devices`,
      `get ${BASE}/devices/connected`,
      `get ${BASE}/devices/connected/detail`,
      `get ${DEVICE}`,
      `delete ${DEVICE}`,
      `get ${DEVICE}/status`,
      `post ${DEVICE}/connect`,
      `delete ${DEVICE}/disconnect`,
      `post ${DEVICE}/cancel-and-wipe`,
      `delete ${DEVICE}/session`,
      `post ${BASE}/devices/restore`,
      `post ${DEVICE}/restore`,
      `post ${DEVICE}/pairing-code`,
      `get ${DEVICE}/qr`,
      `get ${DEVICE}/qr-image`,
      `get ${DEVICE}/qr-base64`,
      `post ${DEVICE}/send-message`,
      `post ${DEVICE}/send-media`,
      `post ${DEVICE}/groups/{groupId}/send-media`,
      `post ${DEVICE}/media-uploads`,
      `get ${DEVICE}/media/{messageId}`,
      `get ${DEVICE}/groups`,
      `post ${DEVICE}/groups`,
      `get ${DEVICE}/groups/{groupId}/info`,
      `post ${DEVICE}/groups/{groupId}/participants`,
      `delete ${DEVICE}/groups/{groupId}/participants/{participantJid}`,
      `post ${DEVICE}/groups/{groupId}/admins`,
      `delete ${DEVICE}/groups/{groupId}/admins/{adminJid}`,
      `post ${DEVICE}/send-group-message`,
      `post ${DEVICE}/groups/{groupId}/mention-message`,
      `get ${DEVICE}/chat-history/{jid}`,
      `get ${DEVICE}/group-chat-history/{groupId}`,
      `get ${DEVICE}/daily-chat-list`,
      `get ${DEVICE}/contacts`,
      `post ${DEVICE}/jobs/send-text`,
      `post ${DEVICE}/jobs/send-media`,
      `post ${DEVICE}/groups/{groupId}/jobs/send-media`,
      `get ${BASE}/jobs/{jobId}`,
      `get ${BASE}/jobs`,
      `post ${BASE}/jobs/{jobId}/cancel`,
      `post ${BASE}/jobs/{jobId}/pause`,
      `post ${BASE}/jobs/{jobId}/resume`,
      `post ${DEVICE}/schedule-message`,
      `get ${DEVICE}/scheduled-messages`,
      `get ${BASE}/scheduled-messages/{id}`,
      `delete ${BASE}/scheduled-messages/{id}`,
      `get ${BASE}/events`,
      `get ${BASE}/commands/{commandId}`,
      `get ${DATA}/sessions/{id}`,
      `get ${DATA}/sessions/user/{id}`,
      `put ${DATA}/sessions/{id}/keterangan`,
      `get ${DATA}/groups/links/{session_id}`,
      `get ${DATA}/allowed-numbers`,
      `post ${DATA}/allowed-numbers`,
      `put ${DATA}/allowed-numbers/{id}/status`,
      `delete ${DATA}/allowed-numbers/{id}`,
      `get ${DATA}/message/stats`,
      `get ${DATA}/message/details`,
      `get ${DATA}/messages/by-number/{whatsapp_number}`,
      `get ${DATA}/history/filtered`,
      `get ${DATA}/conversation/{phone1}/{phone2}`,
      `get ${DATA}/messages/number/{phone_number}`,
      `get ${DATA}/messages/number/{phone_number}/mapping`,
      `get ${DATA}/messages/number/{phone_number}/contacts`,
      "get /health",
      "get /health/ready",
      "get /openapi.json",
      "get /docs",
    ].toSorted(),
  );
});

test.each(operations)("$title has a name, words, parameters and examples", ({ title, operation }) => {
  expect(operation.summary).not.toBe("");
  expect(operation.description).not.toBe("");
  expect(operation.tags).toHaveLength(1);
  const inPath = operation.parameters.filter(({ in: place }) => place === "path").map(({ name }) => name);
  expect(inPath).toEqual([...title.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  const responses = Object.values(operation.responses);
  expect(responses.map(({ description }) => description)).not.toContain("");
  const bodies = responses.flatMap(({ content }) => Object.values(content));
  expect(bodies.map(({ example, examples }) => example ?? examples)).not.toContain(undefined);
  expect(operation.responses).toHaveProperty("500");
  expect("401" in operation.responses).toBe(title.includes("/api/"));
});

test("names of operations are unique", () => {
  const names = operations.map(({ operation }) => operation.operationId);
  expect(new Set(names).size).toBe(names.length);
});

test("examples of requests and answers are valid", () => {
  const wrong = routes.flatMap(({ name, request, bodyExample, answers }) => [
    ...(request.body.safeParse(bodyExample ?? {}).success ? [] : [`request of ${name}`]),
    ...Object.entries(answers).flatMap(([status, { data, example }]) =>
      data.safeParse(example).success ? [] : [`answer ${status} of ${name}`],
    ),
  ]);
  expect(wrong).toEqual([]);
});

test("every reference leads to a schema", () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
  expect(references.length).toBeGreaterThan(0);
  for (const [, name = ""] of references) expect(Object.keys(document.components.schemas)).toContain(name);
});

test("a request is described as clients write it", () => {
  const operation = document.paths[`${DEVICE}/send-message`]?.["post"];
  expect(operation?.parameters).toMatchObject([
    { name: "deviceId", in: "path", required: true, schema: { type: "string", pattern: "^[a-zA-Z0-9_-]{3,50}$" } },
    { name: "Idempotency-Key", in: "header", required: false },
    { name: "Prefer", in: "header", required: false },
  ]);
  expect(operation?.requestBody?.content["application/json"]?.schema).toMatchObject({
    properties: { to: { type: "string" }, message: { type: "string", minLength: 1, maxLength: 4096 } },
    anyOf: [{ required: ["to", "message"] }, { required: ["messages"] }],
  });
  const limit = document.paths[`${BASE}/events`]?.["get"]?.parameters.find(({ name }) => name === "limit");
  expect(limit?.schema).toEqual({ type: "integer", minimum: 1, maximum: 1000, default: 100 });
});

test("every failure is documented under its status", () => {
  const operation = document.paths[`${DEVICE}/send-message`]?.["post"];
  const codesOf = (status: number) =>
    Object.keys(operation?.responses[status]?.content["application/json"]?.examples ?? {});
  expect(codesOf(400)).toEqual(["validation_failed", "malformed_json", "invalid_phone"]);
  expect(codesOf(409)).toEqual(["not_connected", "idempotency_mismatch"]);
  expect(codesOf(503)).toEqual(["unavailable"]);
});

test("the page has every operation, and nothing from elsewhere", async () => {
  const page = await docsPage(document);
  for (const { operation } of operations) expect(page).toContain(`id="${operation.operationId}"`);
  expect(page).not.toMatch(/<script|src=|(?:href|url)\W{0,3}https?:/);
});
