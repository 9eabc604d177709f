import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import { isInsideAddress } from "./inside-address.ts";

test.each(["8.8.8.8", "203.0.114.1", "2001:4860:4860::8888", "::ffff:8.8.8.8"])("%s is outside", (address) => {
  expect(isInsideAddress(address)).toBe(false);
});

test("this machine's own addresses are inside, also those that look public", () => {
  expect(isInsideAddress("8.8.4.4", ["8.8.4.4"])).toBe(true);
  expect(isInsideAddress("2001:4860:4860:0::8888", ["2001:4860:4860::8888"])).toBe(true);
  const own = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? []);
  expect(own.filter(({ address }) => !isInsideAddress(address))).toEqual([]);
});

test.each(["", "localhost", "1.2.3", "8.8.8.8.8", "%", "fe80::1%eth0"])("%j is no outside address", (address) => {
  expect(isInsideAddress(address)).toBe(true);
});
