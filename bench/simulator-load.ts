import { fork, type ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { LoadOrder } from "./support/load-clients.ts";
import { report } from "./support/report.ts";

/** `SIMULATOR_DEVICES=100 npm run bench -- simulator-load` for less than usual. */
const DEVICES = Number(process.env["SIMULATOR_DEVICES"] ?? 500);
const GROUPS = 10;
const MEMBERS = Math.min(256, DEVICES);
/** Enough that most of them meet code that is warm, as in any server that has run for a minute. */
const MESSAGES_EACH = 20;
const GROUP_MESSAGES = 5;
const SETTLE_TIMEOUT_MS = 120_000;
/** Kernel ticks per second in /proc (USER_HZ), on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

type Ready = { url: string; wsUrl: string; rootPublicKey: string };
type Stats = {
  connections: { now: number };
  devices: { queued: number }[];
  messages: { routed: number };
  stanzas: { in: Record<string, number>; out: Record<string, number> };
};

/**
 * What 500 connected clients and 10 groups of 256 cost the simulator: processor time and resident memory of its own
 * process. Each pair has written to each other before messages are counted, and then the phones are offline: what is
 * measured is the server's work for a message, not the first contact and not the decrypting of phones. Linux only: it reads /proc.
 */
async function simulatorLoad(): Promise<void> {
  const simulator = start("../simulator/main.ts");
  const ready = (await next(simulator)) as Ready;
  const halves = [start("./support/load-clients.ts"), start("./support/load-clients.ts")];
  const orderAll = (order: (half: number) => LoadOrder) => Promise.all(halves.map((half, at) => tell(half, order(at))));
  const phones = Array.from({ length: DEVICES }, (_, at) => String(15_553_000_000 + at));
  const figures: Record<string, number> = { emptyMiB: await residentMiB(simulator) };
  const measure = async (work: () => Promise<unknown>) => {
    const before = await cpuSeconds(simulator);
    await work();
    return (await cpuSeconds(simulator)) - before;
  };

  figures["createPhonesCpuSeconds"] = await measure(async () => {
    for (const phone of phones) await call(ready, "POST", "/phones", { phone });
  });
  figures["linkCpuSeconds"] = await measure(() =>
    orderAll((half) => ({ do: "link", simulator: ready, phones: phones.filter((_, at) => at % 2 === half) })),
  );
  figures["linkedMiB"] = await residentMiB(simulator);
  const groups: string[] = [];
  figures["createGroupsCpuSeconds"] = await measure(async () => {
    for (let at = 0; at < GROUPS; at++) {
      const members = phones.map((_, index) => phones[(at * 20 + index) % DEVICES] ?? "").slice(0, MEMBERS);
      const [first = "", ...participants] = members;
      const { id } = (await call(ready, "POST", `/phones/${first}/groups`, {
        subject: `Group ${at}`,
        participants,
      })) as { id: string };
      groups.push(id);
    }
    await settled(ready);
  });
  figures["loginCpuSeconds"] = await measure(() => orderAll(() => ({ do: "login" })));
  figures["connected"] = (await stats(ready)).connections.now;

  await orderAll(() => ({ do: "write", count: 1 }));
  await orderAll(() => ({ do: "answer" }));
  await settled(ready);
  for (const phone of phones) await call(ready, "PUT", `/phones/${phone}/settings`, { online: false });
  const before = await stats(ready);
  const directSeconds = await measure(async () => {
    await orderAll(() => ({ do: "write", count: MESSAGES_EACH }));
    await settled(ready);
  });
  const after = await stats(ready);
  const routed = after.messages.routed - before.messages.routed;
  figures["directMessages"] = routed;
  figures["cpuMsPerDirectMessage"] = (directSeconds * 1_000) / routed;
  figures["stanzasPerDirectMessage"] = (stanzas(after) - stanzas(before)) / routed;
  figures["afterDirectMessagesMiB"] = await residentMiB(simulator);

  const [group = ""] = groups;
  const [phone = ""] = phones;
  const [half] = halves;
  if (half) {
    await tell(half, { do: "write-to-group", phone, group, count: 1 });
    await settled(ready);
    const groupSeconds = await measure(async () => {
      await tell(half, { do: "write-to-group", phone, group, count: GROUP_MESSAGES });
      await settled(ready);
    });
    figures["cpuMsPerGroupMessage"] = (groupSeconds * 1_000) / GROUP_MESSAGES;
  }
  figures["endMiB"] = await residentMiB(simulator);
  for (const child of [...halves, simulator]) child.kill();
  await report("simulator-load", { devices: DEVICES, groups: GROUPS, membersEach: MEMBERS, ...rounded(figures) });
}

function start(path: string): ChildProcess {
  return fork(new URL(path, import.meta.url), { execArgv: ["--import", import.meta.resolve("tsx")] });
}

async function tell(child: ChildProcess, order: LoadOrder): Promise<void> {
  child.send(order);
  const { done, reason } = (await next(child)) as { done: boolean; reason?: string };
  if (!done) throw new Error(`${order.do}: ${reason}`);
}

function next(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`a process ended with ${code}`)));
  });
}

async function call({ url }: Ready, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function stats(ready: Ready): Promise<Stats> {
  return (await call(ready, "GET", "/stats")) as Stats;
}

/** Both ways. */
function stanzas({ stanzas: { in: received, out: sent } }: Stats): number {
  return [...Object.values(received), ...Object.values(sent)].reduce((sum, count) => sum + count, 0);
}

/** Waits until every device has dealt with all it was sent. */
async function settled(ready: Ready): Promise<void> {
  const deadline = Date.now() + SETTLE_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if ((await stats(ready)).devices.every(({ queued }) => queued === 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error("the devices do not come to rest");
}

async function cpuSeconds({ pid }: ChildProcess): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function residentMiB({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

function rounded(figures: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Math.round(value * 100) / 100]));
}

await simulatorLoad();
process.exit();
