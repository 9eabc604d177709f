import { expect, test } from "vitest";
import { refusalOf } from "./refusal.ts";

test("463 says what the account may still do", () => {
  const until = new Date("2026-12-01T00:00:00Z");
  const restricted = { isRestricted: true, until, newChats: { used: 30, quota: 30 } };
  expect(refusalOf("463", restricted)).toEqual({
    errorCode: "recipient_restricted",
    errorDetail: "no new chats until 2026-12-01T00:00:00.000Z; chats that exist go on; new chats used: 30 of 30",
  });
  expect(refusalOf("463", { isRestricted: false }).errorDetail).toMatch(/not with this recipient/);
  expect(refusalOf("463")).toEqual({ errorCode: "recipient_restricted", errorDetail: "463" });
});

test("too much at once is told apart, and a code that nobody explains is passed on", () => {
  expect(refusalOf("429").errorCode).toBe("too_many_requests");
  expect(refusalOf("499")).toEqual({ errorCode: "refused_by_whatsapp", errorDetail: "499" });
});
