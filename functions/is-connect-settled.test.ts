import { expect, test } from "vitest";
import { isConnectSettled } from "./is-connect-settled.ts";

const queued = { state: "queued", startedAt: null } as const;
const running = { state: "running", startedAt: new Date() } as const;
const done = { state: "done", startedAt: new Date() } as const;
const closed = { isConnected: false, qrCode: null };

test("an open connection counts once the command is done", () => {
  expect(isConnectSettled(done, { ...closed, isConnected: true })).toBe(true);
  expect(isConnectSettled(running, { ...closed, isConnected: true })).toBe(false);
  expect(isConnectSettled(queued, { ...closed, isConnected: true })).toBe(false);
});

test("a QR code counts once the host has begun", () => {
  expect(isConnectSettled(running, { ...closed, qrCode: "2@abc" })).toBe(true);
  expect(isConnectSettled(done, { ...closed, qrCode: "2@abc" })).toBe(true);
  expect(isConnectSettled(queued, { ...closed, qrCode: "2@abc" })).toBe(false);
});

test("a command that is done while the device still connects is waited for", () => {
  expect(isConnectSettled(done, closed)).toBe(false);
});

test("a failure is an answer", () => {
  expect(isConnectSettled({ state: "failed", startedAt: null }, closed)).toBe(true);
});
