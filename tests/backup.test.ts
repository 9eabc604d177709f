import { cp, mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { backUp } from "../local/backup/back-up.ts";
import { bringBack } from "../local/backup/bring-back.ts";
import { startDatabase } from "../local/database/start-database.ts";
import { startStack } from "../local/stack.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { temporaryDirectory } from "./support/stack.ts";

const start = (dataDir: string, databaseUrl?: string) =>
  startStack({ dataDir, simulator: true, port: 0, ...(databaseUrl && { databaseUrl }) });

/** WhatsApp itself is not in a backup: the other machine is to meet the same one. */
const moveWhatsApp = async (from: string, to: string) => {
  await mkdir(to, { recursive: true });
  await cp(join(from, "simulator"), join(to, "simulator"), { recursive: true });
};

describe("a backup", () => {
  it(
    "of one machine is restored on another with a database of its own: devices connect without a QR, events are there",
    { timeout: 180_000 },
    async () => {
      const here = await temporaryDirectory();
      const backup = join(await temporaryDirectory(), "backup");
      const first = await startStack({ dataDir: here, simulator: true, port: 0 });
      const owner = await Phone.create(first, "6281100000031");
      const friend = await Phone.create(first, "6281100000032");
      const gateway = new Gateway(first);
      await gateway.link("moved", owner);
      const sent = await gateway.send("moved", friend.number, "sebelum");
      await friend.received(sent.body.data.messageId);
      const events = await gateway.events("moved");

      await expect(backUp({ dataDir: here, target: backup })).rejects.toThrow("in use");
      await first.dispose();
      await backUp({ dataDir: here, target: backup });
      expect((await readdir(backup)).toSorted((a, b) => a.localeCompare(b))).toEqual([
        "cloud",
        "database.sql.gz",
        "manifest.json",
        "secrets.json",
      ]);

      const there = join(await temporaryDirectory(), "data");
      const other = await startDatabase({ dataDir: await temporaryDirectory() });
      afterAll(() => other.dispose());
      await bringBack({ source: backup, dataDir: there, force: false, databaseUrl: other.url });
      await moveWhatsApp(here, there);
      const second = await start(there, other.url);
      afterAll(() => second.dispose());
      const moved = new Gateway(second);
      await moved.connected("moved", 30_000);
      expect(second.token).toBe(first.token);
      expect((await moved.events("moved")).slice(0, events.length)).toEqual(events);
      const friendNow = await Phone.create(second, friend.number);
      const after = await moved.send("moved", friend.number, "sesudah");
      expect(await friendNow.received(after.body.data.messageId)).toMatchObject({ text: "sesudah", copies: 1 });
    },
  );

  it("is not restored over device state that is newer, unless it is forced to", { timeout: 180_000 }, async () => {
    const dataDir = await temporaryDirectory();
    const backup = join(await temporaryDirectory(), "backup");
    await (await start(dataDir)).dispose();
    await backUp({ dataDir, target: backup });
    const later = join(dataDir, "cloud", "later");
    await writeFile(later, "");
    // A file's time is that of the kernel's last tick, which may lie before the backup of the same moment.
    const inASecond = new Date(Date.now() + 1_000);
    await utimes(later, inASecond, inASecond);
    const again = (force: boolean) => bringBack({ source: backup, dataDir, force });
    await expect(again(false)).rejects.toThrow(/after the backup of .*--force/);
    await again(true);
    const replaced = (await readdir(dataDir)).find((name) => name.startsWith("replaced-"));
    expect(await readdir(join(dataDir, replaced ?? ""))).toContain("cloud");
  });

  it("that is not whole is refused", async () => {
    const empty = await temporaryDirectory();
    await expect(bringBack({ source: empty, dataDir: empty, force: false })).rejects.toThrow("no whole backup");
  });
});
