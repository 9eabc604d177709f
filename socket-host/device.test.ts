import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { testDatabase, testUser } from "../local/testing/test-database.ts";
import * as devices from "../shared/db/devices.ts";
import type { Database } from "../shared/db/pool.ts";
import type { DeviceId, UserId } from "../shared/ids.ts";
import { Device } from "./device.ts";
import { LoginBudget } from "./login-budget.ts";
import { deviceOptions } from "./testing/device-options.ts";
import { startTestSimulator } from "./whatsapp/testing/test-simulator.ts";
import type { TestSimulator } from "./whatsapp/testing/test-simulator.ts";

describe("a device on its host", () => {
  let database: Database;
  let userId: UserId;
  let simulator: TestSimulator;

  beforeAll(async () => {
    database = await testDatabase();
    userId = await testUser(database);
    simulator = await startTestSimulator();
  });
  afterAll(() => simulator.end());

  async function newDevice(name: string, isWanted: boolean): Promise<Device> {
    const deviceId = name as DeviceId;
    await devices.create(database, { deviceId, userId, deviceName: null }, 1);
    const environment = { WA_WEB_SOCKET_URL: simulator.wsUrl, WA_PRINT_QR_TERMINAL: "true" };
    const options = deviceOptions({ database, deviceId, userId, environment });
    const logins = new LoginBudget({ database, staggerMs: 0, loginsPerSecond: 100, log: options.log });
    return new Device({ ...options, owned: { ...options.owned, isWanted }, logins, onFenced: () => undefined });
  }

  it("may be let go of five minutes after it was loaded to be read, and not while it is meant to be connected", async () => {
    const [read, wanted] = [await newDevice("read", false), await newDevice("wanted", true)];
    for (const device of [read, wanted]) expect(typeof (await device.chats())).toBe("object");
    expect(read.isIdle).toBe(false);
    const later = performance.now() + 300_001;
    const clock = vi.spyOn(performance, "now").mockReturnValue(later);
    expect([read.isIdle, wanted.isIdle]).toEqual([true, false]);
    await read.chats();
    expect(read.isIdle).toBe(false);
    clock.mockRestore();
    for (const device of [read, wanted]) await device.close();
  });

  it("shows its QR code in the terminal of whoever started the host, when that is asked for", async () => {
    const shown: string[] = [];
    const send = process.send?.bind(process);
    const spy = vi.spyOn(process, "send").mockImplementation((message: { type?: string; text?: string }) => {
      if (message.type !== "terminal") return send?.(message) ?? false;
      shown.push(message.text ?? "");
      return true;
    });
    const device = await newDevice("shown", false);
    expect(await device.connect("urgent")).toEqual({ reached: "qr" });
    expect(shown).toEqual([expect.stringMatching(/^\nshown\n[^]*▄[^]*\n$/)]);
    await device.close();
    spy.mockRestore();
  });
});
