import { forkReady } from "../../../shared/testing/fork-ready.ts";
import { trustRoot } from "../trust.ts";

type Ready = { url: string; wsUrl: string; rootPublicKey: string };
export type TestSimulator = Awaited<ReturnType<typeof startTestSimulator>>;

/**
 * The simulated WhatsApp as a process of its own: libsignal's job queue is shared by a whole process, and phones must
 * not wait for the device under test. Calls throw with the answer when it is not a success.
 */
export async function startTestSimulator() {
  const { ready, end } = await forkReady<Ready>("simulator/main.ts", []);
  trustRoot(Buffer.from(ready.rootPublicKey, "base64"));
  async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const json =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const response = await fetch(ready.url + path, { method, ...json });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer as Answer;
  }
  return {
    wsUrl: ready.wsUrl,
    end,
    addPhone: (phone: string) => call("POST", "/phones", { phone }),
    scan: (phone: string, qr: string) => call("POST", `/phones/${phone}/scan`, { qr }),
    /** The person writes; answers the message's id. */
    write: async (from: string, to: string, text: string) =>
      (await call<{ id: string }>("POST", `/phones/${from}/messages`, { to, text })).id,
    /** The group's id, as `write` takes it. */
    addGroup: async (creator: string, participants: readonly string[]) =>
      (await call<{ id: string }>("POST", `/phones/${creator}/groups`, { subject: "Us", participants })).id,
    inbox: (phone: string) => call<{ id: string; text?: string; copies: number }[]>("GET", `/phones/${phone}/inbox`),
    stats: () =>
      call<{
        devices: { phone: string; queued: number }[];
        undecryptable: number;
        retryReceipts: { fromPhones: number; fromDevices: number };
      }>("GET", "/stats"),
    fault: (body: { match: { phone: string }; fault: string; count?: number }) => call("POST", "/faults", body),
    clearFaults: () => call("DELETE", "/faults"),
  };
}
