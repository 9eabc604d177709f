import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { newWebhookSecret, signWebhook } from "./webhook-secret.ts";

const body = JSON.stringify({ id: "evt_1", data: { text: "Halo 👋" } });

test("the public library verifies a signature with each secret that it was made with, and no other", () => {
  const secrets = [newWebhookSecret(), newWebhookSecret()];
  const headers = signWebhook("evt_1", body, secrets, Date.now());
  for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
  expect(() => new Webhook(newWebhookSecret()).verify(body, headers)).toThrow("No matching signature");
  expect(() => new Webhook(secrets[0] ?? "").verify(`${body} `, headers)).toThrow("No matching signature");
});

test("it holds for the id and the moment that it names", () => {
  const secret = newWebhookSecret();
  const headers = signWebhook("evt_1", body, [secret], Date.now());
  expect(() => new Webhook(secret).verify(body, { ...headers, "webhook-id": "evt_2" })).toThrow();
  const old = signWebhook("evt_1", body, [secret], Date.now() - 600_000);
  expect(() => new Webhook(secret).verify(body, old)).toThrow("too old");
});
