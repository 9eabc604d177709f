import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

/** A process of its own: the log writes to the real stdout. */
function logged(statement: string): string {
  const program = `import { createLog } from "./shared/log.ts"; const log = createLog("test", "info"); ${statement}`;
  const args = ["--import", "tsx", "--input-type=module", "-e", program];
  return spawnSync(process.execPath, args, { encoding: "utf8" }).stdout;
}

describe("the log", () => {
  it("drops tokens, credentials and texts that are passed by mistake", () => {
    const line = logged(
      `log.info({ deviceId: "shop", text: "rahasia", command: { of: { by: { payload: { to: "x" }, token: "wag_1" } } } }, "hi")`,
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

  it("writes a line whatever it is given", () => {
    const line = logged(
      `const self = { n: 1n }; log.info({ ...self }, "big"); self.self = self; log.warn(self, "round")`,
    );
    expect(line).toContain('"n":"1"');
    expect(line).toContain('"msg":"round"');
  });

  it("says who speaks in every line, and nothing below its level", () => {
    const line = logged(`log.child({ hostId: "h" }).child({ shard: 3 }).info("here"); log.debug("not told")`);
    expect(JSON.parse(line)).toMatchObject({ level: "info", part: "test", hostId: "h", shard: 3, msg: "here" });
  });

  it("goes on when nobody reads it any more", () => {
    const program = `import { createLog } from "./shared/log.ts"; const log = createLog("test", "info");
      for (let i = 0; i < 1000; i++) { log.info("x".repeat(1000)); if (i % 100 === 0) await new Promise(setImmediate); }
      process.exit(7)`;
    const child = spawnSync("sh", [
      "-c",
      '"$0" --import tsx --input-type=module -e "$1" | head -c 1; exit 0',
      process.execPath,
      program,
    ]);
    expect(child.stderr.toString()).toBe("");
  });
});
