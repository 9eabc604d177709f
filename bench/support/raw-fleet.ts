import { inParallel } from "./in-parallel.ts";
import { rawBaileys } from "./raw-baileys.ts";
import type { RawAccount, RawBaileys } from "./raw-baileys.ts";

/**
 * Many accounts on Baileys alone, in a process of their own. Does what it is told over IPC, one order after the other, and
 * answers each with `{ms}`, how long it took, or `{reason}`.
 */
export type RawOrder =
  | { do: "link"; simulator: RawSimulator; phones: string[] }
  /** Every account writes to its contact, so many times, so many of them at once. */
  | { do: "send"; contacts: string[]; count: number; atOnce: number }
  /** Until so many messages have come in, over all accounts, since the last login. */
  | { do: "receive"; count: number }
  /** Closes all connections; the answer has the `accounts`, for this process or another one. */
  | { do: "close" }
  /** Opens connections for these accounts, all at once. */
  | { do: "log in"; simulator: RawSimulator; accounts: RawAccount[] };
export type RawAnswer = { ms: number; accounts?: RawAccount[] } | { reason: string };
export type RawSimulator = { url: string; wsUrl: string; rootPublicKey: string };

const LINKS_AT_ONCE = 4;
const LOOK_EVERY_MS = 5;

let clients: RawBaileys[] = [];

async function obey(order: RawOrder): Promise<void> {
  switch (order.do) {
    case "link": {
      const { simulator, phones } = order;
      await inParallel(phones.length, LINKS_AT_ONCE, async (at) => {
        clients[at] = await rawBaileys(simulator, (qr) => scan(simulator, phones[at] ?? "", qr));
      });
      return;
    }
    case "send":
      await Promise.all(
        clients.map((client, at) =>
          inParallel(order.count, order.atOnce, (n) => client.send(`${order.contacts[at]}@s.whatsapp.net`, `raw ${n}`)),
        ),
      );
      return;
    case "receive":
      while (clients.reduce((sum, client) => sum + client.received(), 0) < order.count)
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      return;
    case "close":
      for (const client of clients) client.close();
      return;
    case "log in":
      clients = await Promise.all(
        order.accounts.map((account) => rawBaileys(order.simulator, () => Promise.reject(new Error("a QR")), account)),
      );
  }
}

async function scan(simulator: RawSimulator, phone: string, qr: string): Promise<void> {
  await fetch(`${simulator.url}/phones/${phone}/scan`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ qr }),
  });
}

process.on("message", (order: RawOrder) => {
  const startedAt = performance.now();
  const answer = (what: RawAnswer) => process.send?.(what);
  obey(order).then(
    () => {
      const ms = performance.now() - startedAt;
      answer({ ms, ...(order.do === "close" && { accounts: clients.map(({ account }) => account) }) });
    },
    (error: unknown) => answer({ reason: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
