import { describe, expect, it } from "vitest";
import { parseBackupFlags } from "./flags.ts";

describe("backup and restore", () => {
  it("take one directory, the data's place, and a restore --force", () => {
    const flags = parseBackupFlags("restore", ["/backup", "--data", "/data", "--force"]);
    expect(flags).toEqual({ directory: "/backup", dataDir: "/data", force: true });
    expect(parseBackupFlags("backup", ["/backup"]).dataDir).toMatch(/\.local$/);
  });

  it.each([[[]], [["/one", "/two"]], [["/one", "--what"]], [["/one", "--force"]]])(
    "say how they are used: %j",
    (args) => {
      expect(() => parseBackupFlags("backup", args)).toThrow("Usage: npm run backup -- DIR [--data DIR]");
    },
  );
});
