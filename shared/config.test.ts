import { describe, expect, it } from "vitest";
import { ConfigError, loadApiConfig, loadHostConfig, loadMigrateConfig, unneededSettings } from "./config.ts";
import { configurationPage } from "./testing/configuration-page.ts";

const CLOUD = {
  COMMAND_QUEUE_URLS: "http://127.0.0.1:1/0/a.fifo,http://127.0.0.1:1/0/b.fifo",
  SCHEDULER_GROUP: "messages",
  SCHEDULER_ROLE_ARN: "arn:aws:iam::000000000000:role/scheduler",
  SCHEDULER_DEAD_LETTER_ARN: "arn:aws:sqs:us-east-1:000000000000:schedules-dead",
  DELIVERY_QUEUE_URL: "http://127.0.0.1:1/0/deliveries",
  MEDIA_BUCKET: "whatsapp-media",
  WEBHOOK_ENCRYPTION_KEY: Buffer.alloc(32, 8).toString("base64"),
  SESSION_SECRET: "5f1d9c3b7a2e4860d1c2b3a495867768",
};
const HOST = {
  ...CLOUD,
  DATABASE_URL: "mysql://root@localhost/whatsapp",
  STATE_BUCKET: "whatsapp-state",
  STATE_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64"),
};

describe("the settings", () => {
  it("name every wrong variable at once", () => {
    const wrong = { DASHBOARD_PORT: "99999", APP_TIMEZONE: "Asia/Bandung", PHONE_REGIONS: "id" };
    expect(() => loadApiConfig(wrong)).toThrow(ConfigError);
    for (const name of [...Object.keys(wrong), "COMMAND_QUEUE_URLS", "MEDIA_BUCKET", "SESSION_SECRET"])
      expect(() => loadApiConfig(wrong)).toThrow(name);
  });

  it("take the DB_* variables of the original service, with a password of any characters", () => {
    const config = loadApiConfig({
      ...CLOUD,
      DB_HOST: "db",
      DB_USER: "wa",
      DB_PASSWORD: "p@ss/w:rd",
      DB_NAME: "chats",
    });
    expect(config.database.url).toBe("mysql://wa:p%40ss%2Fw%3Ard@db:3306/chats");
  });

  it("say how the database is reached over TLS, in the words of mysql2", () => {
    const database = { DB_HOST: "db", DB_USER: "wa" };
    const url = (DB_TLS: string) => new URL(loadMigrateConfig({ ...database, DB_TLS }).database.url);
    expect(url("off").search).toBe("");
    expect(JSON.parse(url("on").searchParams.get("ssl") ?? "")).toEqual({ verifyIdentity: true });
    expect(url("amazon-rds").searchParams.get("ssl")).toBe("Amazon RDS");
  });

  it("of the original service that are no longer needed are known by name", () => {
    expect(unneededSettings({ WS_URL: "ws://localhost:3000", WEBSOCKET_URL: "", DB_HOST: "db" })).toEqual(["WS_URL"]);
  });

  it("treat an empty variable as not set", () => {
    expect(loadApiConfig({ ...HOST, PHONE_REGIONS: "" }).phoneRegions).toBeUndefined();
  });

  it("refuse a session secret that is missing or weak, except in development", () => {
    const weak = [undefined, "your-secret-key-here", "secret", "ab".repeat(20)];
    for (const SESSION_SECRET of weak) {
      expect(() => loadApiConfig({ ...HOST, SESSION_SECRET })).toThrow("SESSION_SECRET");
      const developer = () => loadApiConfig({ ...HOST, SESSION_SECRET, NODE_ENV: "development" }).sessionSecret;
      expect(developer()).toHaveLength(64);
      expect(developer()).not.toBe(developer());
    }
    expect(loadApiConfig(HOST).sessionSecret).toBe(HOST.SESSION_SECRET);
  });

  it("take origins for CORS only as browsers write them", () => {
    expect(loadApiConfig({ ...HOST, CORS_ORIGINS: "https://a.example,http://b:8080" }).corsOrigins).toHaveLength(2);
    for (const CORS_ORIGINS of ["a.example", "https://a.example/", "https://a.example, https://b.example"]) {
      expect(() => loadApiConfig({ ...HOST, CORS_ORIGINS })).toThrow("CORS_ORIGINS");
    }
  });

  it("take hosts that may be inside as names and addresses, and nothing around them", () => {
    const hosts = (ALLOWED_PRIVATE_HOSTS: string) =>
      loadApiConfig({ ...HOST, ALLOWED_PRIVATE_HOSTS }).allowedPrivateHosts;
    expect(hosts("")).toEqual([]);
    expect(hosts("LocalHost, 127.0.0.1,::1,[fd00::0:7]")).toEqual(["localhost", "127.0.0.1", "::1", "fd00::7"]);
    for (const wrong of ["a:8080", "http://a", "a/b", "u@a", "a,,b", "10.0.0.0/8", "a b", "a?"]) {
      expect(() => hosts(wrong), wrong).toThrow("ALLOWED_PRIVATE_HOSTS");
    }
  });

  it("refuse a simulator's trust root together with a WhatsApp address", () => {
    const root = Buffer.alloc(32, 1).toString("base64");
    expect(() => loadHostConfig({ ...HOST, WA_TRUST_ROOT: root })).toThrow("cannot be combined");
    const simulated = { ...HOST, WA_TRUST_ROOT: root, WA_WEB_SOCKET_URL: "ws://127.0.0.1:4011/ws/chat" };
    expect(loadHostConfig(simulated).whatsapp.trustRoot).toHaveLength(32);
  });
});

it("docs/configuration.md is what the settings say (make it anew with: npm test -- shared/config -u)", async () => {
  await expect(configurationPage()).toMatchFileSnapshot("../docs/configuration.md");
});
