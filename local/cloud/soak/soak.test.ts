import { expect, it } from "vitest";
import { soak } from "./soak.ts";

it("kill -9 under load loses nothing that was acknowledged, and brings nothing back", { timeout: 60_000 }, async () => {
  const counts = await soak({ rounds: 3, roundMs: { from: 700, to: 1_300 } });
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
});
