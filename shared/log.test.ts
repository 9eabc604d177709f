import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

/** A process of its own: pino writes to the real stdout. */
function logged(statement: string): string {
  const program = `import { createLog } from "./shared/log.ts"; const log = createLog("test", "info"); ${statement}`;
  const args = ["--import", "tsx", "--input-type=module", "-e", program];
  return spawnSync(process.execPath, args, { encoding: "utf8" }).stdout;
}

describe("the log", () => {
  it("drops tokens, credentials and texts that are passed by mistake", () => {
    const line = logged(
      `log.info({ deviceId: "shop", text: "rahasia", command: { payload: { to: "x" }, token: "wag_1" } }, "hi")`,
    );
    expect(line).toContain('"deviceId":"shop"');
    expect(line).not.toMatch(/rahasia|wag_1|payload/);
  });

  it("writes of an error what it says, not the statement it carries", () => {
    const line = logged(
      `log.error({ err: Object.assign(new Error("lock"), { sql: "INSERT 'rahasia'", code: "ER_LOCK" }) }, "failed")`,
    );
    expect(line).toContain("ER_LOCK");
    expect(line).not.toContain("rahasia");
  });
});
