import type { Stack } from "../../local/stack.ts";
import { eventually } from "./eventually.ts";

export type Answer = { status: number; headers: Headers; body: Body };
type Body = {
  success: boolean;
  message: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of every shape; a wrong one fails the assertion on it
  data: any;
  error?: { code: string; details?: { path: string; message: string }[] };
};

const BASE = "/api/whatsapp-multi-device";

/** The gateway as its client sees it. */
export class Gateway {
  readonly #stack: Stack;
  constructor(stack: Stack) {
    this.#stack = stack;
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${this.#stack.apiUrl}${BASE}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#stack.token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
  }

  /** As a browser sends a form. */
  async form(method: string, path: string, form: FormData, headers: Record<string, string> = {}): Promise<Answer> {
    const authorization = `Bearer ${this.#stack.token}`;
    const request = { method, headers: { authorization, ...headers }, body: form };
    const response = await fetch(`${this.#stack.apiUrl}${BASE}${path}`, request);
    return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
  }

  /** What a link leads to, as a browser follows it. */
  async follow(path: string): Promise<Uint8Array> {
    const headers = { authorization: `Bearer ${this.#stack.token}` };
    return new Uint8Array(await (await fetch(`${this.#stack.apiUrl}${BASE}${path}`, { headers })).arrayBuffer());
  }

  status(deviceId: string) {
    return this.call("GET", `/devices/${deviceId}/status`);
  }

  send(deviceId: string, to: string, message: string, headers: Record<string, string> = {}) {
    return this.call("POST", `/devices/${deviceId}/send-message`, { to, message }, headers);
  }

  async connected(deviceId: string, timeoutMs: number): Promise<void> {
    await eventually(
      `${deviceId} is connected`,
      timeoutMs,
      async () => (await this.status(deviceId)).body.data.isConnected,
    );
  }

  /** Creates a device and links it to a simulated phone. */
  async link(deviceId: string, phone: Phone): Promise<void> {
    const created = await this.call("POST", "/devices", { deviceId });
    if (created.status !== 201) throw new Error(`device not created: ${JSON.stringify(created.body)}`);
    // As a person does whose QR has gone before the phone saw it, as when the device moves to another host just then.
    await eventually(`${phone.number} has scanned the QR of ${deviceId}`, 30_000, async () => {
      const connect = await this.call("POST", `/devices/${deviceId}/connect`);
      if (!connect.body.data.qrCode) throw new Error(`no QR: ${JSON.stringify(connect.body)}`);
      await phone.scan(connect.body.data.qrCode);
      return true;
    });
    await this.connected(deviceId, 30_000);
  }

  async events(deviceId: string, after = 0) {
    return (await this.call("GET", `/events?deviceId=${deviceId}&after=${after}`)).body.data.events as {
      sequence: number;
      type: string;
      occurredAt: string;
      data: Record<string, unknown>;
    }[];
  }
}

export type InboxMessage = {
  n: number;
  id: string;
  chat: string;
  from: string;
  type: string;
  text?: string;
  caption?: string;
  /** Of the file that the phone has downloaded and decrypted. */
  media?: { mimetype: string; size: number; sha256: string; fileName?: string };
  mentions?: string[];
  copies: number;
};

/** A person with a phone on the simulated WhatsApp. */
export class Phone {
  readonly number: string;
  readonly #url: string;
  private constructor(stack: Stack, number: string) {
    this.number = number;
    this.#url = `${stack.simulatorUrl}`;
  }

  static async create(stack: Stack, number: string, name?: string): Promise<Phone> {
    const phone = new Phone(stack, number);
    await phone.#post("/phones", { phone: number, ...(name && { name }) });
    return phone;
  }

  scan(qr: string) {
    return this.#post(`/phones/${this.number}/scan`, { qr });
  }
  enterCode(code: string) {
    return this.#post(`/phones/${this.number}/enter-code`, { code });
  }
  unlink() {
    return this.#post(`/phones/${this.number}/unlink`, {});
  }
  /** @param to a phone, a number, or a group's id */
  text(to: Phone | string, text: string): Promise<string> {
    return this.write(typeof to === "string" ? to : to.number, { text });
  }
  /** Any message, to a number or a group; see docs/simulator.md. Answers its id. */
  async write(to: string, body: Record<string, unknown>): Promise<string> {
    const { id } = (await this.#post(`/phones/${this.number}/messages`, { to, ...body })) as { id: string };
    return id;
  }
  /** Answers its id. */
  async createGroup(subject: string, members: readonly Phone[]): Promise<string> {
    const participants = members.map((member) => member.number);
    const { id } = (await this.#post(`/phones/${this.number}/groups`, { subject, participants })) as { id: string };
    return id;
  }
  /** What WhatsApp has of a group, its people by number. */
  async group(group: string): Promise<{ subject: string; members: string[]; admins: string[]; inviteCode: string }> {
    return (await this.#request("GET", `/groups/${group}`, undefined)) as Awaited<ReturnType<Phone["group"]>>;
  }
  /** Calls; answers the call's id. */
  async call(to: Phone, body: Record<string, unknown> = {}): Promise<string> {
    return ((await this.#post(`/phones/${this.number}/calls`, { to: to.number, ...body })) as { id: string }).id;
  }
  /** @param action see docs/simulator.md */
  endCall(callId: string, action: "accept" | "reject" | "hang-up" | "miss") {
    return this.#post(`/phones/${this.number}/calls/${callId}`, { action });
  }
  changeGroup(group: string, change: Record<string, unknown>) {
    return this.#post(`/phones/${this.number}/groups/${group}`, change);
  }
  /** What is in its chats already; `timestamp` in seconds. */
  history(chat: string, messages: { id: string; fromMe: boolean; from?: string; text: string; timestamp: number }[]) {
    return this.#post(`/phones/${this.number}/history`, { conversations: [{ with: chat, messages }] });
  }
  /** What the person does on the phone to a chat, a number or a group's id; see docs/simulator.md, app state. */
  changeChat(chat: string, change: Record<string, unknown>) {
    return this.#post(`/phones/${this.number}/app-state`, { chat, ...change });
  }
  async lid(): Promise<string> {
    return ((await this.#request("GET", `/phones/${this.number}`, undefined)) as { lid: string }).lid;
  }
  /** Where a fault matches by phone. */
  fault(fault: string, more: Record<string, unknown> = {}) {
    return this.#post("/faults", { match: { phone: this.number }, fault, ...more }) as Promise<{ id: string }>;
  }
  async mend(faultId: string) {
    await fetch(`${this.#url}/faults/${faultId}`, { method: "DELETE" });
  }
  async settings(settings: {
    autoDelivered?: boolean;
    autoRead?: boolean;
    online?: boolean;
    numberHidden?: boolean;
    privacy?: object;
  }) {
    await this.#request("PUT", `/phones/${this.number}/settings`, settings);
  }

  /** @param after only messages with a higher `n` */
  async inbox(after = 0): Promise<InboxMessage[]> {
    const response = await fetch(`${this.#url}/phones/${this.number}/inbox?after=${after}&wait=0`);
    const answer = (await response.json()) as InboxMessage[] | { messages: InboxMessage[] };
    return Array.isArray(answer) ? answer : answer.messages;
  }

  async received(id: string, timeoutMs = 5_000): Promise<InboxMessage> {
    return await eventually(`${this.number} has message ${id}`, timeoutMs, async () =>
      (await this.inbox()).find((message) => message.id === id),
    );
  }

  #post(path: string, body: unknown) {
    return this.#request("POST", path, body);
  }

  async #request(method: string, path: string, body: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`simulator ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }
}
