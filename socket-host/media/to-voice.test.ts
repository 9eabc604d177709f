import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { toVoice } from "./to-voice.ts";

const folder = await mkdtemp(join(tmpdir(), "gateway-voice-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());
const paths = [join(folder, "in"), join(folder, "out")] as const;

test("a host without ffmpeg converts nothing", async () => {
  vi.stubEnv("PATH", folder);
  expect(await toVoice(...paths)).toBe(false);
});

test("what ffmpeg can make nothing of is not converted", async () => {
  vi.stubEnv("PATH", `${folder}:/bin:/usr/bin`);
  await writeFile(join(folder, "ffmpeg"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  expect(await toVoice(...paths)).toBe(false);
});
