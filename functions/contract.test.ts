import { expect, test } from "vitest";
import { allRoutes } from "./areas.ts";
import { openApiDocument } from "./openapi.ts";
import { apiConfig } from "./testing/api-config.ts";

const { paths } = openApiDocument(await allRoutes(apiConfig));

/** Parameters by place, not by name: a path with its names taken out. */
const shape = (path: string) => path.replaceAll(/\{\w+\}|:\w+/g, "{}");
const there = new Set(
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${shape(path)}`),
  ),
);

/** What was promised to clients of the original service and to new ones, group by group; `/` is the group's base itself. */
const CONTRACT: [base: string, routes: string[]][] = [
  [
    "/api/whatsapp-multi-device/devices",
    [
      "POST /",
      "GET /",
      "GET /connected",
      "GET /connected/detail",
      "GET /:deviceId",
      "GET /:deviceId/status",
      "POST /:deviceId/connect",
      "DELETE /:deviceId/disconnect",
      "POST /:deviceId/cancel-and-wipe",
      "DELETE /:deviceId/session",
      "DELETE /:deviceId",
      "POST /restore",
      "POST /:deviceId/restore",
      "GET /:deviceId/qr",
      "GET /:deviceId/qr-image",
      "GET /:deviceId/qr-base64",
      "POST /:deviceId/pairing-code",
      "POST /:deviceId/send-message",
      "POST /:deviceId/send-media",
      "POST /:deviceId/media-uploads",
      "POST /:deviceId/schedule-message",
      "GET /:deviceId/scheduled-messages",
      "GET /:deviceId/groups",
      "POST /:deviceId/groups",
      "GET /:deviceId/groups/:groupId/info",
      "POST /:deviceId/send-group-message",
      "POST /:deviceId/groups/:groupId/mention-message",
      "POST /:deviceId/groups/:groupId/send-media",
      "POST /:deviceId/groups/:groupId/participants",
      "DELETE /:deviceId/groups/:groupId/participants/:participantJid",
      "POST /:deviceId/groups/:groupId/admins",
      "DELETE /:deviceId/groups/:groupId/admins/:adminJid",
      "GET /:deviceId/chat-history/:jid",
      "GET /:deviceId/group-chat-history/:groupId",
      "GET /:deviceId/daily-chat-list",
      "GET /:deviceId/contacts",
      "POST /:deviceId/jobs/send-text",
      "POST /:deviceId/jobs/send-media",
      "POST /:deviceId/groups/:groupId/jobs/send-media",
    ],
  ],
  [
    "/api/whatsapp-multi-device",
    [
      "GET /scheduled-messages/:id",
      "DELETE /scheduled-messages/:id",
      "GET /jobs",
      "GET /jobs/:jobId",
      "POST /jobs/:jobId/cancel",
      "POST /jobs/:jobId/pause",
      "POST /jobs/:jobId/resume",
      "GET /commands/:commandId",
    ],
  ],
  [
    "/api/whatsapp",
    [
      "GET /sessions/:id",
      "GET /sessions/user/:id",
      "PUT /sessions/:id/keterangan",
      "GET /message/stats",
      "GET /message/details",
      "GET /groups/links/:session_id",
      "GET /messages/by-number/:whatsapp_number",
      "GET /history/filtered",
      "GET /conversation/:phone1/:phone2",
      "GET /messages/number/:phone_number",
      "GET /messages/number/:phone_number/mapping",
      "GET /messages/number/:phone_number/contacts",
      "GET /allowed-numbers",
      "POST /allowed-numbers",
      "PUT /allowed-numbers/:id/status",
      "DELETE /allowed-numbers/:id",
      "GET /chatbots",
      "POST /chatbots",
      "PUT /chatbots/:id/status",
      "DELETE /chatbots/:id",
      "PUT /chatbots/:whatsapp_number/endpoint",
    ],
  ],
  [
    "/api/auth",
    [
      "POST /login",
      "POST /logout",
      "GET /session",
      "PUT /password",
      "GET /tokens",
      "POST /tokens",
      "PUT /tokens/:id",
      "DELETE /tokens/:id",
      "GET /users",
      "POST /users",
      "PUT /users/:id",
      "DELETE /users/:id",
    ],
  ],
  [
    "/api/webhooks",
    [
      "GET /",
      "POST /",
      "GET /:id",
      "PUT /:id",
      "DELETE /:id",
      "POST /:id/test",
      "POST /:id/rotate-secret",
      "GET /:id/deliveries",
      "POST /deliveries/:id/redeliver",
      "POST /:id/replay",
    ],
  ],
  ["", ["GET /health", "GET /health/ready", "GET /openapi.json", "GET /docs"]],
];

test.each(CONTRACT)("every route promised under %s is there and documented", (base, routes) => {
  const missing = routes.filter((route) => {
    const [method = "", path = ""] = route.split(" ");
    return !there.has(`${method} ${shape(base + path).replace(/(?<=.)\/$/, "")}`);
  });
  expect(missing).toEqual([]);
});
