import { createHash, randomBytes } from "node:crypto";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import type { InboxMessage } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

type JobView = {
  status: string;
  reason: string | null;
  progress: { total: number; currentIndex: number; successCount: number; errorCount: number };
  results: { to: string; status: string; messageId?: string; error?: string }[];
};
const ENDED = ["completed", "failed", "cancelled"];
const KILLS = 5;
/** On a busy machine everything. */
const WAIT_MS = 60_000;

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const pdf = (bytes: number) => Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(bytes - 9)]);
/** Of noise, which nothing makes smaller: about a megabyte. */
const picture = async () =>
  await sharp(randomBytes(600 * 600 * 3), { raw: { width: 600, height: 600, channels: 3 } })
    .png()
    .toBuffer();

let stack: Stack;
let gateway: Gateway;
beforeAll(async () => {
  stack = await freshStack({ environment: { RATE_LIMIT_PER_MINUTE: "0", SYNC_WAIT_MS: "4000" } });
  gateway = new Gateway(stack);
});

describe("a job", { timeout: 240_000 }, () => {
  let owner: Phone;
  let friends: Phone[];
  let friend: Phone;

  beforeAll(async () => {
    owner = await Phone.create(stack, "6281100000061");
    friends = [];
    for (const number of ["6281100000062", "6281100000063"]) friends.push(await Phone.create(stack, number));
    friend = friends[0] as Phone;
    await gateway.link("jobs", owner);
  });

  const messages = (label: string, count: number, to: readonly Phone[] = [friend]) =>
    Array.from({ length: count }, (_, n) => ({ to: to[n % to.length]?.number, message: `${label} ${n}` }));
  const start = (body: unknown, headers: Record<string, string> = {}) =>
    gateway.call("POST", "/devices/jobs/jobs/send-text", body, headers);
  const started = async (body: unknown) => {
    const answer = await start(body);
    expect(answer.status).toBe(202);
    return answer.body.data.jobId as string;
  };
  const look = async (jobId: string, results = 1) =>
    (await gateway.call("GET", `/jobs/${jobId}?pageSize=${results}`)).body.data as JobView;
  const change = (jobId: string, verb: string) => gateway.call("POST", `/jobs/${jobId}/${verb}`);
  const until = (what: string, jobId: string, is: (job: JobView) => boolean) =>
    eventually(what, WAIT_MS, async () => {
      const job = await look(jobId);
      return is(job) && job;
    });
  const ended = (jobId: string) => until("the job has ended", jobId, ({ status }) => ENDED.includes(status));
  const inboxOf = async (phone: Phone, label: string): Promise<InboxMessage[]> =>
    (await phone.inbox()).filter(({ text }) => text?.startsWith(`${label} `));

  it("of 200 items whose host is killed five times sends each once, in order", { timeout: 300_000 }, async () => {
    const jobId = await started({ messages: messages("tahan", 200, friends), delay: 0.01 });
    for (let kill = 1; kill <= KILLS; kill++) {
      const at = kill * 30 + Math.floor(Math.random() * 10);
      await until(`item ${at} is done`, jobId, ({ progress }) => progress.currentIndex >= at);
      stack.kill("socket-host-1", "SIGKILL");
    }
    const job = await ended(jobId);
    expect(job).toMatchObject({
      status: "completed",
      progress: { total: 200, currentIndex: 200, successCount: 200, errorCount: 0 },
    });
    expect((await look(jobId, 1_000)).results).toHaveLength(200);
    for (const [at, phone] of friends.entries()) {
      const inbox = await inboxOf(phone, "tahan");
      const wanted = Array.from({ length: 100 }, (_, n) => `tahan ${n * 2 + at}`);
      expect(inbox.map(({ text }) => text)).toEqual(wanted);
      expect(inbox.filter(({ copies }) => copies !== 1)).toEqual([]);
    }
    const events = await eventsOf("job.finished", jobId);
    expect(events).toEqual([{ jobId, status: "completed", total: 200, successCount: 200, errorCount: 0 }]);
    expect((await eventsOf("job.progress", jobId)).length).toBeLessThanOrEqual(20);
  });

  async function eventsOf(type: string, jobId: string) {
    const found: Record<string, unknown>[] = [];
    for (let after = 0; ;) {
      const page = await gateway.events("jobs", after);
      const last = page.at(-1);
      if (!last) return found;
      found.push(
        ...page.filter((event) => event.type === type && event.data["jobId"] === jobId).map(({ data }) => data),
      );
      after = last.sequence;
    }
  }

  it("that is cancelled at item 50 begins none after the answer", async () => {
    const jobId = await started({ messages: messages("batal", 400), delay: 0.02 });
    await until("50 items are done", jobId, ({ progress }) => progress.currentIndex >= 50);
    const answer = await change(jobId, "cancel");
    expect(answer.body.data.status).toBe("cancelled");
    // One may be on its way.
    const most = (answer.body.data as JobView).progress.currentIndex + 1;
    const after = await started({ messages: messages("sesudah batal", 1), delay: 0 });
    await ended(after);
    expect((await inboxOf(friend, "batal")).length).toBeLessThanOrEqual(most);
    expect((await look(jobId)).progress.successCount).toBeGreaterThanOrEqual(50);
    expect((await change(jobId, "cancel")).status).toBe(200);
    expect((await change(jobId, "resume")).body.error?.code).toBe("job_has_ended");
    expect(await eventsOf("job.finished", jobId)).toMatchObject([{ status: "cancelled" }]);
  });

  it("that is paused holds still, lets the next job pass, and goes on when it is resumed", async () => {
    const jobId = await started({ messages: messages("jeda", 10), delay: 0.4 });
    await until("some are done", jobId, ({ progress }) => progress.currentIndex >= 2);
    expect((await change(jobId, "pause")).body.data).toMatchObject({ status: "paused", reason: "requested" });
    await ended(await started({ messages: messages("lewat", 3), delay: 0 }));
    expect((await look(jobId)).status).toBe("paused");
    expect((await inboxOf(friend, "jeda")).length).toBeLessThan(10);
    expect((await change(jobId, "resume")).status).toBe(200);
    expect(await ended(jobId)).toMatchObject({ status: "completed", progress: { successCount: 10 } });
    expect((await inboxOf(friend, "jeda")).map(({ text }) => text)).toEqual(messages("jeda", 10).map((m) => m.message));
  });

  it("waits for a dropped line, and is paused when the device is not meant to be connected", async () => {
    const dropped = await started({ messages: messages("putus", 20), delay: 0.05 });
    await until("some are done", dropped, ({ progress }) => progress.currentIndex >= 5);
    await owner.fault("drop", { count: 1 });
    expect(await ended(dropped)).toMatchObject({ progress: { successCount: 20, errorCount: 0 } });
    await gateway.call("DELETE", "/devices/jobs/disconnect?logout=false");
    const offline = await started({ messages: messages("luring", 3), delay: 0 });
    await until("it is paused", offline, (job) => job.reason === "not_connected" && job.status === "paused");
    await gateway.call("POST", "/devices/jobs/connect");
    await change(offline, "resume");
    expect(await ended(offline)).toMatchObject({ status: "completed", progress: { successCount: 3 } });
  });

  it("is paused when WhatsApp restricts the account, and says so", async () => {
    await owner.fault("ack-error", { code: 463, count: 1 });
    const jobId = await started({ messages: messages("dibatasi", 4), delay: 0 });
    const paused = await until("it is paused", jobId, ({ status }) => status === "paused");
    expect(paused).toMatchObject({ reason: "recipient_restricted", progress: { successCount: 0, errorCount: 1 } });
    expect(await inboxOf(friend, "dibatasi")).toEqual([]);
    await change(jobId, "resume");
    expect(await ended(jobId)).toMatchObject({ status: "completed", progress: { successCount: 3, errorCount: 1 } });
  });

  it("with a long delay holds up no single send", async () => {
    const jobId = await started({ messages: messages("lambat", 2), delay: 600 });
    await until("the first is done", jobId, ({ progress }) => progress.currentIndex === 1);
    expect((await gateway.send("jobs", friend.number, "segera")).status).toBe(200);
    const listed = await gateway.call("GET", "/jobs?deviceId=jobs&status=processing");
    expect(listed.body.data.jobs).toMatchObject([{ id: jobId, options: { delaySec: 600 } }]);
    expect((await change(jobId, "cancel")).status).toBe(200);
  });

  it("of files has each uploaded once, and an item whose file cannot be does not stop the rest", async () => {
    const [image, document] = [await picture(), pdf(200_000)];
    const items = Array.from({ length: 12 }, (_, n) => ({
      to: friends[n % 2]?.number,
      caption: `berkas ${n}`,
      ...(n === 10 ? { mediaType: "document", fileField: "daftar" } : { mediaType: "image", fileIndex: 0 }),
    }));
    const form = new FormData();
    form.set("items", JSON.stringify(items));
    form.set("delay", "0.3");
    form.set("gambar", new Blob([image]), "katalog.png");
    form.set("daftar", new Blob([document]), "daftar.pdf");
    const answer = await gateway.form("POST", "/devices/jobs/jobs/send-media", form);
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    const { jobId } = answer.body.data as { jobId: string };
    await until("the first is done", jobId, ({ progress }) => progress.currentIndex >= 1);
    const fault = await owner.fault("media-upload-error", { code: 500 });
    const job = await ended(jobId);
    await owner.mend(fault.id);
    expect(job).toMatchObject({ status: "completed", progress: { successCount: 11, errorCount: 1 } });
    const { results } = await look(jobId, 100);
    expect(results[10]).toMatchObject({ status: "error", error: "media_upload_failed" });
    for (const [n, { messageId, status }] of results.entries()) {
      if (status !== "success") continue;
      const received = await (friends[n % 2] ?? friend).received(messageId ?? "", WAIT_MS);
      const media = { sha256: sha256(image), mimetype: "image/png" };
      expect(received).toMatchObject({ type: "image", caption: `berkas ${n}`, media, copies: 1 });
    }
  });

  it("of files to a group has what the request says for all, and is refused with a file that is not taken", async () => {
    const group = await friend.createGroup("Berkas", [owner]);
    const document = pdf(1_000).toString("base64");
    const path = `/devices/jobs/groups/${group}/jobs/send-media`;
    const usual = { mediaType: "document", caption: "untuk semua", delay: 0 };
    const items = [{ base64: document }, { base64: document, caption: "satu", fileName: "satu.pdf" }];
    const jobId = (await gateway.call("POST", path, { items, ...usual })).body.data.jobId as string;
    expect(await ended(jobId)).toMatchObject({ status: "completed", progress: { successCount: 2 } });
    const ids = (await look(jobId, 10)).results.map(({ messageId = "" }) => messageId);
    expect(await friend.received(ids[0] ?? "", WAIT_MS)).toMatchObject({ type: "document", caption: "untuk semua" });
    expect(await friend.received(ids[1] ?? "", WAIT_MS)).toMatchObject({ media: { fileName: "satu.pdf" } });
    const text = Buffer.from("bukan berkas").toString("base64");
    const refused = await gateway.call("POST", path, { items: [{ base64: document }, { base64: text }, {}], ...usual });
    expect(refused.body.error).toMatchObject({ code: "validation_failed", details: [{ path: "body.items.2" }] });
    const other = await gateway.call("POST", path, { items: [{ base64: document }, { base64: text }], ...usual });
    expect(other.body.error).toMatchObject({
      code: "media_type_not_allowed",
      details: [{ path: "body.items.1.base64" }],
    });
  });

  it("that is asked for 50 times at once under one key is one, also after a restart", async () => {
    const body = { messages: messages("sekali", 3), delay: 0 };
    const key = { "idempotency-key": "job-1" };
    const answers = await Promise.all(Array.from({ length: 50 }, () => start(body, key)));
    const jobIds = new Set(answers.map((answer) => answer.body.data.jobId as string));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(jobIds.size).toBe(1);
    await ended([...jobIds][0] ?? "");
    stack.kill("api", "SIGKILL");
    const again = await eventually("it is answered after the restart", WAIT_MS, async () => {
      const answer = await start(body, key);
      return answer.status === 202 && answer;
    });
    expect(again.body.data.jobId).toBe([...jobIds][0]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await inboxOf(friend, "sekali")).map(({ copies }) => copies)).toEqual([1, 1, 1]);
    expect((await start({ ...body, delay: 1 }, key)).body.error?.code).toBe("idempotency_mismatch");
  });
});

it("a message that is asked for 50 times at once under one key is sent once, also after a restart", async () => {
  const friend = await Phone.create(stack, "6281100000075");
  await gateway.link("once", await Phone.create(stack, "6281100000074"));
  const key = { "idempotency-key": "order-50" };
  const ask = (text = "sekali saja") => gateway.send("once", friend.number, text, key);
  const all = () => Promise.all(Array.from({ length: 50 }, () => ask()));
  const [first, ...others] = await all();
  const messageId = first?.body.data.messageId as string;
  expect(new Set(others.map(({ body }) => body.data.messageId))).toEqual(new Set([messageId]));
  await friend.received(messageId, WAIT_MS);
  for (const name of ["api", "socket-host-1"]) stack.kill(name, "SIGKILL");
  await eventually("it is answered after the restart", WAIT_MS, async () => (await ask()).status === 200);
  const again = await all();
  expect(new Set(again.map(({ status, body }) => JSON.stringify([status, body.data]))).size).toBe(1);
  expect(again[0]?.body.data).toMatchObject({ messageId });
  expect((await friend.inbox()).map(({ text, copies }) => [text, copies])).toEqual([["sekali saja", 1]]);
  expect((await ask("lain")).body.error?.code).toBe("idempotency_mismatch");
}, 180_000);

describe("several messages in one request", { timeout: 120_000 }, () => {
  let friend: Phone;
  beforeAll(async () => {
    friend = await Phone.create(stack, "6281100000072");
    await gateway.link("bulk", await Phone.create(stack, "6281100000071"));
  });
  const bulk = (body: unknown, headers = {}) => gateway.call("POST", "/devices/bulk/send-message", body, headers);

  it("are answered with what became of each, and one bad recipient does not stop the rest", async () => {
    const numbers = [friend.number, "6281199999998", "0812 no number", friend.number];
    const answer = await bulk({ messages: numbers.map((to, n) => ({ to, message: `massal ${n}` })), delay: 0 });
    expect(answer.status).toBe(200);
    expect(answer.body.data).toMatchObject({
      total: 4,
      successCount: 2,
      errorCount: 2,
      results: [
        { status: "success" },
        { status: "error", error: "not_on_whatsapp" },
        { to: "0812 no number", status: "error", error: "invalid_phone" },
        { status: "success" },
      ],
    });
    const texts = (await friend.inbox()).map(({ text }) => text);
    expect(texts).toEqual(["massal 0", "massal 3"]);
  });

  it("may be files", async () => {
    const base64 = pdf(20_000).toString("base64");
    const items = ["a", "b"].map((fileName) => ({ to: friend.number, mediaType: "document", base64, fileName }));
    const answer = await gateway.call("POST", "/devices/bulk/send-media", { items, delay: 0 });
    expect(answer.body.data).toMatchObject({ total: 2, successCount: 2, errorCount: 0 });
    for (const [n, { messageId }] of (answer.body.data.results as { messageId: string }[]).entries()) {
      const received = await friend.received(messageId, WAIT_MS);
      expect(received).toMatchObject({ media: { fileName: items[n]?.fileName }, copies: 1 });
    }
    const both = await gateway.call("POST", "/devices/bulk/send-media", { items, to: friend.number });
    expect(both.body.error).toMatchObject({ code: "validation_failed", details: [{ path: "body.items" }] });
  });

  it("that take longer than the wait are a job to ask for", async () => {
    const body = { messages: ["a", "b"].map((message) => ({ to: friend.number, message })), delay: 60 };
    const answer = await bulk(body, { "idempotency-key": "massal-1" });
    expect(answer.status).toBe(202);
    expect(answer.body.data).toMatchObject({ status: "processing", total: 2, delaySec: 60 });
    const single = { to: friend.number, message: "a" };
    expect((await bulk(single, { "idempotency-key": "massal-1" })).body.error?.code).toBe("idempotency_mismatch");
    expect((await gateway.call("POST", `/jobs/${answer.body.data.jobId}/cancel`)).status).toBe(200);
  });

  it("are 409 not_connected without a connection", async () => {
    await gateway.call("DELETE", "/devices/bulk/disconnect?logout=false");
    const answer = await bulk({ messages: [{ to: friend.number, message: "luring" }] });
    expect(answer.body.error?.code).toBe("not_connected");
  });
});
