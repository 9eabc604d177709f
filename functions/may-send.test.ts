import { expect, test } from "vitest";
import { maySend } from "./may-send.ts";

const paired = {
  isConnected: false,
  status: "disconnected",
  statusReason: null,
  desired: "connected",
  phoneNumber: "6281234567890",
  qrCode: null,
} as const;

test("a connected device may send", () => {
  expect(maySend({ ...paired, isConnected: true, status: "connected" })).toBe(true);
});

test("a paired device that is being opened again may send", () => {
  expect(maySend({ ...paired, status: "connecting" })).toBe(true);
});

test("a paired device whose host is being replaced may send, if it should be connected", () => {
  expect(maySend({ ...paired, statusReason: "no_host" })).toBe(true);
  expect(maySend({ ...paired, statusReason: "no_host", desired: "disconnected" })).toBe(false);
});

test("a device that has never been paired may not, whatever it is doing", () => {
  for (const status of ["created", "connecting", "pairing"] as const) {
    expect(maySend({ ...paired, status, phoneNumber: null })).toBe(false);
  }
  expect(maySend({ ...paired, statusReason: "no_host", phoneNumber: null })).toBe(false);
});

test("a device that was logged out and shows a QR code again may not", () => {
  expect(maySend({ ...paired, status: "connecting", qrCode: "2@abc" })).toBe(false);
});

test.each(["created", "disconnected", "cancelled", "logged_out", "error"] as const)(
  "a device that is %s may not",
  (status) => {
    expect(maySend({ ...paired, status })).toBe(false);
  },
);

test("a device whose socket has gone silent may not", () => {
  expect(maySend({ ...paired, statusReason: "silent" })).toBe(false);
});
