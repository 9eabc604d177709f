import type { Spell } from "../network/connection-log.ts";
import type { PhoneSettings } from "../phone/phone.ts";

/** What the calls answer, if it is an object; each call has some of these. */
export type Answer = {
  id: string;
  device: number;
  unlinked: number[];
  error: { code: string; message: string };
  phone: string;
  lid: string;
  name: string;
  settings: PhoneSettings;
  devices: { device: number; platform: string; connected: boolean }[];
};

export type StatsAnswer = {
  connections: { now: number; ever: number };
  devices: {
    phone: string;
    device: number;
    connectionsNow: number;
    connectionsEver: number;
    replaced: number;
    longestOverlapMs: number;
    connections: Spell[];
    queued: number;
  }[];
  messages: { routed: number; distinctIds: number; repeatedIds: { from: string; id: string; times: number }[] };
  undecryptable: number;
  retryReceipts: { fromPhones: number; fromDevices: number };
  broken: { connections: number };
};

/** Calls the control API. For calls that answer something else, cast the body. */
export async function control(
  { url }: { url: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Answer }> {
  const response = await fetch(url + path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  return { status: response.status, body: (await response.json()) as Answer };
}
