import { expect, test } from "vitest";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { DeviceState } from "../device-state/state.ts";
import { createLog } from "../../shared/log.ts";
import { newCredentials } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";
import { deviceLists } from "./device-lists.ts";
import { forgetRecipient, redistributeSenderKey } from "./recipient-memory.ts";
import { PLACE } from "./testing/test-device.ts";

const GROUP = "120363000000000001@g.us";
const [PHONE, LID, OTHER] = ["6281100000501", "90000000000501", "6281100000502"];
const ONE_DEVICE = [{ user: PHONE, device: 0 }];

async function state(): Promise<DeviceState<Credentials>> {
  const place = { ...PLACE, storage: new MemoryStorage(), epoch: 1 };
  const opened = await DeviceState.open({ ...place, newCreds: newCredentials, log: createLog("test", "silent") });
  if (opened.outcome !== "open") throw new Error(opened.outcome);
  const lists = deviceLists(opened.state);
  for (const user of [PHONE, LID, OTHER]) await lists.set(user, ONE_DEVICE);
  opened.state.set({
    "lid-mapping": { [PHONE]: LID, [`${LID}_reverse`]: PHONE },
    "sender-key-memory": { [GROUP]: { [`${LID}:3@lid`]: true } },
  });
  return opened.state;
}
const known = async (on: DeviceState<Credentials>, user: string) => (await deviceLists(on).get(user)) !== undefined;
const holders = (on: DeviceState<Credentials>) => on.get("sender-key-memory", [GROUP])[GROUP];

test.each([`${PHONE}@s.whatsapp.net`, `${LID}@lid`])(
  "of a person (%s) both names are forgotten, and nobody else",
  async (to) => {
    const device = await state();
    forgetRecipient(device, to);
    expect([await known(device, PHONE), await known(device, LID), await known(device, OTHER)]).toEqual([
      false,
      false,
      true,
    ]);
    expect(holders(device)).toBeDefined();
  },
);

test("of a group the devices of those who have our key are forgotten, and that they have it", async () => {
  const device = await state();
  forgetRecipient(device, GROUP);
  expect([await known(device, LID), await known(device, OTHER)]).toEqual([false, true]);
  expect(holders(device)).toBeUndefined();
});

test("before a message is sent again the group gets our key again, a person needs nothing", async () => {
  const device = await state();
  redistributeSenderKey(device, `${PHONE}@s.whatsapp.net`);
  expect(holders(device)).toBeDefined();
  redistributeSenderKey(device, GROUP);
  expect(holders(device)).toBeUndefined();
  expect(await known(device, LID)).toBe(true);
});
