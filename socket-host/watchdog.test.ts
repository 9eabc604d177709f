import { fork } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { startWatchdog } from "./watchdog.ts";

describe("the watchdog", () => {
  it("ends a process whose event loop stalls past the deadline, and not one that keeps renewing it", async () => {
    const file = new URL("./testing/stalling-process.ts", import.meta.url);
    const child = fork(file, { execArgv: ["--import", "tsx"], stdio: "ignore" });
    const ended = once(child, "exit");
    expect(await Promise.race([once(child, "message"), ended])).toContain("stalling");
    expect(await ended).toEqual([null, "SIGKILL"]);
  });

  it("does nothing when there is nothing to lose", async () => {
    const watchdog = startWatchdog();
    watchdog.expectWithin(1);
    watchdog.expectWithin(undefined);
    await watchdog.stop();
  });
});
