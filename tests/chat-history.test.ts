import { S3Client, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

type Message = { id: string; fromMe: boolean; from: string; content: string; timestamp: number; status: string };

const LONG_AGO = 1_700_000_000;
const texts = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    id: `OLD${n}`,
    fromMe: n % 2 === 1,
    text: `lama ${n}`,
    timestamp: LONG_AGO + 60 * n,
  }));

let stack: Stack;
let gateway: Gateway;

beforeAll(async () => {
  stack = await freshStack();
  gateway = new Gateway(stack);
});

async function chat(deviceId: string, who: string, query = "source=store") {
  const kind = who.endsWith("@g.us") ? "group-chat-history" : "chat-history";
  return await gateway.call("GET", `/devices/${deviceId}/${kind}/${encodeURIComponent(who)}?${query}`);
}

const messagesOf = (answer: Awaited<ReturnType<typeof chat>>) => answer.body.data.messages as Message[];
const contentsOf = (answer: Awaited<ReturnType<typeof chat>>) => messagesOf(answer).map(({ content }) => content);

/** Reads a chat to its end, part by part. */
async function readAll(deviceId: string, who: string, query: string): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const before = all.length ? `&before=${all.at(-1)?.id}` : "";
    const answer = await chat(deviceId, who, query + before);
    expect(answer.status).toBe(200);
    all.push(...messagesOf(answer));
    if (!answer.body.data.hasMore) return all;
  }
}

async function dailyList(deviceId: string, query: string) {
  const answer = await gateway.call("GET", `/devices/${deviceId}/daily-chat-list?${query}`);
  expect(answer.status).toBe(200);
  return answer.body.data;
}

const today = () => new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Jakarta" }).format(new Date());

describe("the history of a chat", () => {
  it("is what the phone gives at linking, read in parts without gaps or repeats, by number and by LID", async () => {
    const owner = await Phone.create(stack, "6281100000601", "Owner");
    const budi = await Phone.create(stack, "6281100000602", "Budi");
    await owner.history(budi.number, texts(130));
    await gateway.link("linked-late", owner);
    await eventually("all of it is here", 20_000, async () => {
      return (await readAll("linked-late", budi.number, "source=store&limit=100")).length === 130;
    });
    const all = await readAll("linked-late", budi.number, "source=store&limit=17");
    expect(all.map(({ content }) => content)).toEqual(
      texts(130)
        .map(({ text }) => text)
        .reverse(),
    );
    expect(all[0]).toMatchObject({
      id: "OLD129",
      fromMe: true,
      timestamp: 1000 * (LONG_AGO + 60 * 129),
      status: "delivered",
    });
    expect(all[1]).toMatchObject({ fromMe: false, from: `${budi.number}@s.whatsapp.net`, status: "received" });

    const byLid = await chat("linked-late", `${await budi.lid()}@lid`, "source=store&limit=3");
    expect(byLid.body.data).toMatchObject({ phoneNumber: budi.number, lid: await budi.lid(), source: "store" });
    expect(messagesOf(byLid)).toEqual(all.slice(0, 3));
    const contacts = await gateway.call("GET", "/devices/linked-late/contacts");
    expect(contacts.body.data.contacts).toContainEqual(
      expect.objectContaining({ id: `${budi.number}@s.whatsapp.net`, notify: "Budi" }),
    );
    await owner.changeChat(budi.number, { contact: { name: "Budi Santoso" } });
    await eventually("the name in the address book", 10_000, async () => {
      return (await chat("linked-late", budi.number)).body.data.name === "Budi Santoso";
    });
    const unknown = await chat("linked-late", budi.number, "before=NOSUCH");
    expect([unknown.status, unknown.body.error?.code]).toEqual([404, "message_not_found"]);
  });

  it("goes on with what is sent and received, with edits, deletions, reactions and receipts", async () => {
    const owner = await Phone.create(stack, "6281100000611", "Owner");
    const siti = await Phone.create(stack, "6281100000612", "Siti");
    await gateway.link("lively", owner);
    const first = await siti.text(owner, "salah");
    await siti.write(owner.number, { edit: { messageId: first, text: "benar" } });
    const second = await siti.text(owner, "hapus saja");
    await siti.write(owner.number, { delete: { messageId: second } });
    const sent = await gateway.send("lively", siti.number, "dari gateway");
    await siti.received(sent.body.data.messageId);
    await siti.write(owner.number, { reaction: { messageId: sent.body.data.messageId, emoji: "👍" } });
    await owner.text(siti, "dari HP");
    const found = await eventually("all of it is in the history", 10_000, async () => {
      const messages = messagesOf(await chat("lively", siti.number));
      const own = messages.find(({ id }) => id === sent.body.data.messageId);
      return messages.length === 4 && own?.status === "delivered" && "reactions" in own && messages;
    });
    const contents = new Set(found.map(({ content }) => content));
    expect(contents).toEqual(new Set(["benar", "dari HP", "dari gateway", null]));
    expect(found.find(({ id }) => id === second)).toMatchObject({
      messageType: "deleted",
      content: null,
      details: null,
    });
    expect(found.find(({ id }) => id === first)).toMatchObject({ senderName: "Siti", editedAt: expect.any(Number) });

    const { contacts, summary } = await dailyList("lively", `date=${today()}`);
    expect(contacts).toMatchObject([
      {
        jid: `${siti.number}@s.whatsapp.net`,
        phoneNumber: siti.number,
        name: "Siti",
        messageCount: 4,
        incomingMessages: 2,
        outgoingMessages: 2,
        unreadMessages: 0,
        responseRate: 100,
      },
    ]);
    expect(summary).toMatchObject({ totalContacts: 1, totalMessages: 4, averageResponseRate: 100 });
    expect((await dailyList("lively", "date=2020-01-01")).contacts).toEqual([]);
  });

  it("is asked of the phone when the store has not enough, as far as the phone has any", async () => {
    const owner = await Phone.create(stack, "6281100000621", "Owner");
    const budi = await Phone.create(stack, "6281100000622", "Budi");
    await gateway.link("on-demand", owner);
    // Only now: what is older than the first live message is with the phone alone.
    const live = await budi.text(owner, "baru");
    await eventually("it is here", 5_000, async () =>
      contentsOf(await chat("on-demand", budi.number)).includes("baru"),
    );
    await owner.history(budi.number, texts(70));
    const stored = await chat("on-demand", budi.number, "source=store");
    expect(stored.body.data).toMatchObject({ source: "store", hasMore: false, messages: [{ id: live }] });
    const all = await readAll("on-demand", budi.number, "limit=30");
    expect(all.map(({ content }) => content)).toEqual([...texts(70).map(({ text }) => text), "baru"].reverse());
    const asked = await chat("on-demand", budi.number, `source=server&limit=5&before=OLD50`);
    expect(asked.body.data.source).toBe("server");
    expect(contentsOf(asked)).toEqual(["lama 49", "lama 48", "lama 47", "lama 46", "lama 45"]);
    // A phone that is silent is made up for by the store.
    await owner.fault("no-history");
    const silent = await chat("on-demand", budi.number, "source=server&limit=2&waitSeconds=1");
    expect(silent.body.data.source).toBe("store");
    expect(contentsOf(silent)).toEqual(["baru", "lama 69"]);
  });

  it("is kept for groups, with who wrote, and in the daily list only when asked for", async () => {
    const owner = await Phone.create(stack, "6281100000631", "Owner");
    const ani = await Phone.create(stack, "6281100000632", "Ani");
    await gateway.link("grouped", owner);
    const group = await ani.createGroup("Arisan", [owner]);
    const id = await ani.text(group, "halo semua");
    const answer = await eventually("it is here", 10_000, async () => {
      const one = await chat("grouped", group);
      return messagesOf(one).length === 1 && one;
    });
    expect(messagesOf(answer)).toMatchObject([{ id, from: group, senderName: "Ani", content: "halo semua" }]);
    expect(messagesOf(answer)[0]).toHaveProperty("participant");
    expect((await dailyList("grouped", `date=${today()}`)).contacts).toEqual([]);
    const { contacts, summary } = await dailyList("grouped", `date=${today()}&includeGroups=true`);
    expect(contacts).toMatchObject([{ jid: group, isGroup: true, incomingMessages: 1, unreadMessages: 1 }]);
    expect(summary).toMatchObject({ groupContacts: 1, totalUnreadMessages: 1 });
    await owner.changeChat(group, { read: true });
    await eventually("it counts as read", 10_000, async () => {
      const later = await dailyList("grouped", `date=${today()}&includeGroups=true`);
      return later.summary.totalUnreadMessages === 0;
    });
    expect((await gateway.call("GET", "/devices/grouped/group-chat-history/12345")).status).toBe(400);
  });

  it(
    "outlives a kill -9 of the host, and is there for a device that is disconnected",
    { timeout: 60_000 },
    async () => {
      const owner = await Phone.create(stack, "6281100000641", "Owner");
      const budi = await Phone.create(stack, "6281100000642", "Budi");
      await gateway.link("killed-chats", owner);
      await budi.text(owner, "satu");
      await eventually(
        "it is here",
        5_000,
        async () => contentsOf(await chat("killed-chats", budi.number)).length === 1,
      );
      const sent = await gateway.send("killed-chats", budi.number, "dua");
      await budi.received(sent.body.data.messageId);
      stack.kill("socket-host-1", "SIGKILL");
      const id = await budi.text(owner, "tiga");
      await eventually("what came meanwhile is an event", 30_000, async () =>
        (await gateway.events("killed-chats")).find((event) => event.data["messageId"] === id),
      );
      await eventually("all is in the history, once", 10_000, async () => {
        const messages = messagesOf(await chat("killed-chats", budi.number));
        expect(messages.map(({ content }) => content)).toEqual(["tiga", "dua", "satu"]);
        return ["sent", "delivered"].includes(messages[1]?.status ?? "");
      });
      await gateway.call("DELETE", "/devices/killed-chats/disconnect?logout=false");
      const offline = await chat("killed-chats", budi.number, "source=auto");
      expect(offline.body.data.source).toBe("store");
      expect(contentsOf(offline)).toEqual(["tiga", "dua", "satu"]);
    },
  );

  it("is read while a send of the device waits, and leaves no content in the database or the bucket", async () => {
    const owner = await Phone.create(stack, "6281100000651", "Owner");
    const budi = await Phone.create(stack, "6281100000652", "Budi");
    await gateway.link("busy", owner);
    await gateway.send("busy", budi.number, "rahasia");
    // No acknowledgement and no receipt: the send waits for its outcome, and whatever is behind it in the queue, too.
    await budi.settings({ autoDelivered: false });
    await owner.fault("no-ack");
    await gateway.send("busy", budi.number, "tanpa jawaban", { prefer: "respond-async" });
    await gateway.send("busy", budi.number, "menunggu", { prefer: "respond-async" });
    const startedAt = Date.now();
    expect(contentsOf(await chat("busy", budi.number))).toContain("rahasia");
    expect(Date.now() - startedAt).toBeLessThan(3_000);
    const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws;
    const s3 = new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
    const left = await s3.send(new ListObjectsV2Command({ Bucket: "whatsapp-media", Prefix: "results/" }));
    expect(left.Contents ?? []).toEqual([]);
    s3.destroy();
  });
});
