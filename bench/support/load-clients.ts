import { withSharedContext } from "../../socket-host/whatsapp/shared-context.ts";
import { BaileysClient } from "../../simulator/testing/baileys-client.ts";
import { control } from "../../simulator/testing/control.ts";
import { until } from "../../simulator/testing/until.ts";

/**
 * Half of the clients of `simulator-load.ts`, in a process of its own so that their work is not the simulator's. Does what
 * it is told over IPC, one order after the other, and answers each with `{done: true}`, or `{done: false, reason}`.
 */
export type LoadOrder =
  | { do: "link"; simulator: { url: string; wsUrl: string; rootPublicKey: string }; phones: string[] }
  | { do: "login" }
  /** Each client writes to the one after it, so many times. */
  | { do: "write"; count: number }
  /** Each client and its phone write to the one before it. Until then what is written to that one carries a new session. */
  | { do: "answer" }
  | { do: "write-to-group"; phone: string; group: string; count: number };

const AT_ONCE = 4;
/** Writers at once: with few of them the server sleeps and wakes for every stanza, which is not what load is like. */
const WRITING_AT_ONCE = 24;
const MAX_ATTEMPTS = 10;
/** A first message to a large group blocks this process for so long that Baileys would give up all its connections. */
const KEEP_ALIVE_MS = 600_000;

/** Each on its own context, 250 sockets in a process slow each other down so much that they make no load. */
class LoadClient extends BaileysClient {
  override connect(...options: Parameters<BaileysClient["connect"]>): Promise<void> {
    return withSharedContext(() => super.connect(...options));
  }
}

let clients: BaileysClient[] = [];
let phones: string[] = [];
let simulator: Extract<LoadOrder, { do: "link" }>["simulator"];

async function obey(order: LoadOrder): Promise<void> {
  if (order.do === "link") {
    ({ simulator, phones } = order);
    clients = [];
    await eachOf(phones, AT_ONCE, async (phone, at) => {
      clients[at] = await linked(phone);
    });
  } else if (order.do === "login") {
    const earlier = clients;
    for (const client of earlier) await client.end();
    clients = earlier.map((client) => newClient(client));
    await eachOf(clients, AT_ONCE, connected);
  } else if (order.do === "write") {
    await eachOf(clients, WRITING_AT_ONCE, async (client, at) => {
      for (let i = 0; i < order.count; i++) await write(client, phones[(at + 1) % phones.length] ?? "");
    });
  } else if (order.do === "answer") {
    await eachOf(clients, AT_ONCE, async (client, at) => {
      const to = phones.at(at - 1) ?? "";
      await control(simulator, "POST", `/phones/${phones[at]}/messages`, { to, text: "an answer" });
      await write(client, to);
    });
  } else {
    const client = clients[phones.indexOf(order.phone)];
    for (let i = 0; i < order.count; i++) await client?.socket.sendMessage(order.group, { text: `message ${i}` });
  }
}

async function write(client: BaileysClient, to: string): Promise<void> {
  const id = await client.sendText(to, "a message");
  await until(() => client.acks.some((ack) => ack.id === id)); // else the process would have no time to receive
}

function newClient(earlier?: BaileysClient): BaileysClient {
  const whole = { ...simulator, dispose: () => Promise.resolve() };
  const client = new LoadClient(whole, earlier?.auth);
  client.config = { keepAliveIntervalMs: KEEP_ALIVE_MS };
  return client;
}

/** On a busy machine a step may take longer than a client waits; then the phone unlinks what there is of it, and scans anew. */
async function linked(phone: string): Promise<BaileysClient> {
  for (let attempt = 1; ; attempt++) {
    const client = newClient();
    const failure = await client.link(phone).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    if (!failure) return client;
    await client.end();
    if (attempt === MAX_ATTEMPTS) throw failure.error;
    await control(simulator, "POST", `/phones/${phone}/unlink`, {});
  }
}

async function connected(client: BaileysClient): Promise<void> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS && !client.isOpen; attempt++) {
    await client.connect().catch(() => client.end());
  }
  if (!client.isOpen) throw new Error("a client does not come back");
}

async function eachOf<T>(items: T[], atOnce: number, work: (item: T, at: number) => Promise<unknown>): Promise<void> {
  const waiting = items.map((item, at) => ({ item, at }));
  const workers = Array.from({ length: atOnce }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await work(next.item, next.at);
  });
  await Promise.all(workers);
}

process.on("message", (order: LoadOrder) => {
  obey(order).then(
    () => process.send?.({ done: true }),
    (error: unknown) => process.send?.({ done: false, reason: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
