import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../local/stack.ts";
import { Gateway, Phone } from "../tests/support/gateway.ts";
import { percentile } from "./support/percentile.ts";
import { rawBaileys } from "./support/raw-baileys.ts";
import { report } from "./support/report.ts";

const CONTACTS = 20;
const SENDS = 400;

/**
 * Milliseconds from the HTTP request to its answer (after WhatsApp's server has acknowledged), beside Baileys alone with
 * keys in memory, on the same simulator, in turns. Every contact has a session before the measurement begins.
 */
async function sendLatency(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-bench-"));
  const stack = await startStack({ dataDir, simulator: true, port: 0 });
  try {
    const gateway = new Gateway(stack);
    const trust = (await (await fetch(`${stack.simulatorUrl}/trust`)).json()) as {
      wsUrl: string;
      rootPublicKey: string;
    };
    await gateway.link("bench", await Phone.create(stack, "6281200000001"));
    const rawOwner = await Phone.create(stack, "6281200000002");
    const raw = await rawBaileys(trust, (qr) => rawOwner.scan(qr));
    const contacts = Array.from({ length: CONTACTS }, (_, n) => `62813000000${String(n).padStart(2, "0")}`);
    for (const contact of contacts) await Phone.create(stack, contact);

    const viaGateway = async (to: string) => {
      const answer = await gateway.send("bench", to, "halo");
      if (answer.status !== 200) throw new Error(`send failed: ${JSON.stringify(answer.body)}`);
    };
    const viaBaileys = (to: string) => raw.send(`${to}@s.whatsapp.net`, "halo");
    for (const contact of contacts) {
      await viaGateway(contact);
      await viaBaileys(contact);
    }
    const gatewayMs: number[] = [];
    const baileysMs: number[] = [];
    for (let n = 0; n < SENDS; n++) {
      const contact = contacts[n % CONTACTS] ?? "";
      gatewayMs.push(await timed(() => viaGateway(contact)));
      baileysMs.push(await timed(() => viaBaileys(contact)));
    }
    const side = (samples: number[]) => ({ p50Ms: percentile(samples, 0.5), p99Ms: percentile(samples, 0.99) });
    const ofGateway = side(gatewayMs);
    const ofBaileys = side(baileysMs);
    await report("send-latency", {
      sends: SENDS,
      gateway: ofGateway,
      baileysAlone: ofBaileys,
      ratio: { p50: ofGateway.p50Ms / ofBaileys.p50Ms, p99: ofGateway.p99Ms / ofBaileys.p99Ms },
    });
    raw.close();
  } finally {
    await stack.dispose();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

await sendLatency();
process.exit();
