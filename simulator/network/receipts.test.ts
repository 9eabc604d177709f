import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";

const DELIVERED = 3;
const READ = 4;
const PLAYED = 5;

let world: World;
let alice: BaileysClient;
let bob: BaileysClient;
/** Somebody with a phone and nothing linked to it, whom Alice has not met. */
let carol: string;

beforeAll(async () => {
  world = await World.start();
  alice = await world.linked(ALICE);
  bob = await world.linked(BOB);
});
beforeEach(async () => {
  carol = await world.person();
});
afterAll(() => world.dispose());

describe("receipts of a phone", () => {
  test("say at once that a message was delivered, and nothing more by themselves", async () => {
    const id = await alice.sendText(carol, "hello");
    await until(() => alice.statuses.includes(`${id}:${DELIVERED}`));
    expect(alice.statuses).not.toContain(`${id}:${READ}`);
  });

  test("can be given by hand: delivered, read, played, for several messages at once", async () => {
    await world.put(`/phones/${carol}/settings`, { autoDelivered: false });
    const ids = [await alice.sendText(carol, "one"), await alice.sendText(carol, "two")];
    await world.inbox(carol, 2);
    expect(alice.statuses.filter((each) => ids.some((id) => each === `${id}:${DELIVERED}`))).toEqual([]);
    for (const [type, status] of [
      ["delivered", DELIVERED],
      ["read", READ],
      ["played", PLAYED],
    ] as const) {
      await world.post(`/phones/${carol}/receipts`, { chat: ALICE, ids, type });
      await until(() => ids.every((id) => alice.statuses.includes(`${id}:${status}`)));
    }
  });

  test("say that a message was read if the phone reads everything", async () => {
    await world.put(`/phones/${carol}/settings`, { autoRead: true });
    const id = await alice.sendText(carol, "read me");
    await until(() => alice.statuses.includes(`${id}:${READ}`));
    expect(await world.inbox(carol, 1)).toMatchObject([{ id }]);
  });

  test("wait for a device that is away", async () => {
    const id = await alice.sendText(carol, "read me later");
    await world.inbox(carol, 1);
    await alice.end();
    await world.post(`/phones/${carol}/receipts`, { chat: ALICE, ids: [id], type: "read" });
    alice = await world.back(alice);
    await until(() => alice.statuses.includes(`${id}:${READ}`));
    await world.settled(ALICE);
    expect(alice.statuses.filter((each) => each === `${id}:${READ}`)).toHaveLength(1);
  });
});

test("receipts of a client reach the devices of the author", async () => {
  await world.put(`/phones/${BOB}/settings`, { online: false });
  const id = await alice.sendText(BOB, "to the linked device");
  await until(() => alice.statuses.includes(`${id}:${DELIVERED}`));
  await until(() => bob.received.some(({ key }) => key.id === id));
  await bob.socket.sendReceipt(`${ALICE}:1@s.whatsapp.net`, undefined, [id], "read");
  await until(() => alice.statuses.includes(`${id}:${READ}`));
  expect(await world.inbox(BOB)).toEqual([]);
  await world.put(`/phones/${BOB}/settings`, { online: true });
});
