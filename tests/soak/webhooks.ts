import { parseArgs } from "node:util";
import mysql from "mysql2/promise";
import { Webhook } from "standardwebhooks";
import { eventually } from "../support/eventually.ts";
import { linkFleet } from "../support/fleet.ts";
import { Receiver, troubled } from "../support/receiver.ts";
import { soakStack } from "./soak-stack.ts";

/**
 * `npm run soak:webhooks [-- --events N --rate N --kill-every SECONDS --keep]`: so many messages, 10,000 if not given
 * otherwise, to two receivers. One fails one request of three, breaks off, is slow, and is down for an hour of virtual
 * time; the other must not notice. The API, the host and the two deliverers are killed one after the other.
 */
const { values } = parseArgs({
  options: {
    events: { type: "string", default: "10000" },
    rate: { type: "string", default: "20" },
    "kill-every": { type: "string", default: "60" },
    keep: { type: "boolean", default: false },
  },
});
const messages = Number(values.events);
const intervalMs = 1_000 / Number(values.rate);
const killEveryMs = Number(values["kill-every"]) * 1_000;
const DEVICES = 4;
const VICTIMS = ["api", "deliverer", "socket-host-1", "deliverer-2"];
/** How late the healthy receiver may be, of 99 in 100 events. */
const MOST_LATE_MS = 2_000;
const LAST_WAIT_MS = 180_000;

type Row = { event_id: string; device_id: string; sequence: number; at: string };

await soakStack({ hosts: 1, deliverers: 2, keep: values.keep }, async (stack, say) => {
  const fleet = await linkFleet(stack, { devices: DEVICES, friends: DEVICES, groups: 0 });
  const database = await mysql.createConnection(stack.databaseUrl);
  const trouble = troubled();
  const [well, ill] = [await Receiver.start(), await Receiver.start(trouble.behave)];
  const subscribe = async ({ url }: Receiver) => {
    const answer = await fleet.gateway.call("POST", "/../webhooks", { url, events: ["*"] });
    return answer.body.data as { webhookId: string; secret: string };
  };
  const [good, bad] = [await subscribe(well), await subscribe(ill)];
  const advance = async (seconds: number) => {
    await database.query(
      "UPDATE deliveries SET due_at = due_at - INTERVAL ? SECOND WHERE state = 'pending' AND claim IS NULL",
      [seconds],
    );
    await database.query("UPDATE webhooks SET paused_until = paused_until - INTERVAL ? SECOND", [seconds]);
  };
  say("linked");

  let kills = 0;
  const killing = setInterval(() => {
    const name = VICTIMS[kills % VICTIMS.length] ?? "";
    if (!stack.processes().some((process) => process.name === name)) return;
    stack.kill(name, "SIGKILL");
    kills++;
  }, killEveryMs);
  let due = performance.now();
  for (let n = 0; n < messages; n++) {
    const [friend, device] = [fleet.friends[n % DEVICES], fleet.devices[n % DEVICES]];
    if (friend && device) await friend.text(device.owner, `pesan ${n}`);
    if (n === Math.floor(messages * 0.3)) trouble.isDown = true;
    if (n === Math.floor(messages * 0.6)) {
      await advance(3_600);
      trouble.isDown = false;
    }
    if (n % 500 === 499)
      say(`${n + 1} messages, ${well.requests.length} and ${ill.requests.length} requests, ${kills} kills`);
    due += intervalMs;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
  }
  clearInterval(killing);

  const count = async (where: string) => {
    const [rows] = await database.query(`SELECT COUNT(*) AS count FROM ${where}`);
    return (rows as { count: number }[])[0]?.count ?? 0;
  };
  await eventually(
    "every message is an event",
    LAST_WAIT_MS,
    async () => (await count("events WHERE type = 'message.received'")) === messages,
  );
  await eventually("nothing waits any more", LAST_WAIT_MS, async () => {
    await advance(600);
    await fleet.gateway.call("PUT", `/../webhooks/${bad.webhookId}`, { isActive: true });
    return (await count("deliveries WHERE state = 'pending'")) === 0;
  }).catch((error: unknown) => say(String(error)));

  const [rows] = await database.query(
    "SELECT event_id, device_id, sequence, UNIX_TIMESTAMP(created_at) * 1000 AS at FROM deliveries WHERE webhook_id = ? ORDER BY device_id, sequence",
    [good.webhookId],
  );
  const events = rows as Row[];
  const firstSeen = new Map<string, number>();
  for (const { headers, at } of well.requests) {
    const id = headers["webhook-id"] ?? "";
    if (!firstSeen.has(id)) firstSeen.set(id, at);
  }
  const delays = events
    .map(({ event_id, at }) => (firstSeen.get(event_id) ?? Infinity) - Number(at))
    .toSorted((a, b) => a - b);
  const percentile = (part: number) =>
    Math.round(delays[Math.min(delays.length - 1, Math.floor(delays.length * part))] ?? 0);
  const unsigned = [
    [well, good],
    [ill, bad],
  ] as const;
  const verdict = {
    missing: events.flatMap(({ event_id }) => [
      ...(firstSeen.has(event_id) ? [] : [`${event_id} → well`]),
      ...(trouble.taken.has(event_id) ? [] : [`${event_id} → ill`]),
    ]),
    gaps: events.flatMap(({ device_id, sequence }, at) => {
      const before = events[at - 1];
      return before?.device_id === device_id && sequence !== before.sequence + 1 ? [`${device_id} ${sequence}`] : [];
    }),
    unsigned: unsigned.flatMap(([{ requests }, { secret }]) =>
      requests
        .filter(({ body, headers, at }) => !isSigned(secret, body, headers, at))
        .map(({ headers }) => headers["webhook-id"] ?? ""),
    ),
    late: percentile(0.99) > MOST_LATE_MS ? [`p99 ${percentile(0.99)} ms`] : [],
    counts: {
      messages,
      events: events.length,
      kills,
      requests: [well.requests.length, ill.requests.length],
      healthyMs: { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), longest: percentile(1) },
    },
  };
  for (const receiver of [well, ill]) receiver.close();
  await database.end();
  return verdict;
});
process.exit();

/** As the library says, but for the age: it looks at the clock, and this is looked at when all is over. */
function isSigned(secret: string, body: string, headers: Record<string, string>, at: number): boolean {
  const signed = new Webhook(secret).sign(
    headers["webhook-id"] ?? "",
    new Date(Number(headers["webhook-timestamp"]) * 1_000),
    body,
  );
  const isFresh = Math.abs(at - Number(headers["webhook-timestamp"]) * 1_000) < 60_000;
  return isFresh && (headers["webhook-signature"] ?? "").split(" ").includes(signed);
}
