import { expect, test } from "vitest";
import { parseFlags } from "./flags.ts";

test("without flags there is one host, no port of its own, and data in the checkout", () => {
  expect(parseFlags([])).toEqual({ hosts: 1, port: undefined, dataDir: expect.stringMatching(/\/\.local$/) });
});

test("flags are taken in both spellings", () => {
  const flags = { hosts: 2, port: 0, dataDir: "/srv/my data" };
  expect(parseFlags(["--hosts", "2", "--port", "0", "--data", "/srv/my data"])).toEqual(flags);
  expect(parseFlags(["--hosts=2", "--port=0", "--data=/srv/my data"])).toEqual(flags);
});

test.each([
  [["--hosts", "0"], '--hosts is a number from 1 to 16, not "0"'],
  [["--hosts", "many"], '--hosts is a number from 1 to 16, not "many"'],
  [["--port", "65536"], '--port is a number from 0 to 65535, not "65536"'],
  [["--port", "1e3"], '--port is a number from 0 to 65535, not "1e3"'],
  [["--port"], "Option '--port <value>' argument missing. Flags: --hosts N, --port N (0 = any), --data DIR"],
  [["--prot", "1"], "Unknown option '--prot'. Flags: --hosts N, --port N (0 = any), --data DIR"],
  [["now"], "Unexpected argument 'now'. Flags: --hosts N, --port N (0 = any), --data DIR"],
  [["--data", ""], "--data names no directory. Flags: --hosts N, --port N (0 = any), --data DIR"],
])("%j is refused in one line", (args, message) => {
  expect(() => parseFlags(args)).toThrow(expect.objectContaining({ name: "LaunchError", message }));
});
