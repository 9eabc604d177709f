import * as z from "zod";
import type { DeviceState } from "../device-state/state.ts";
import type { Credentials } from "../whatsapp/credentials.ts";
import { pageText, parsePage } from "./page.ts";
import type { MessageText, Page } from "./page.ts";
import { nameOf } from "./stored-message.ts";
import type { StoredMessage } from "./stored-message.ts";

/** `readAt`: what came until then has been read. `name`: of a group. */
const chat = z.object({ name: z.string().optional(), readAt: z.number().optional() });
export type Chat = z.infer<typeof chat>;
/** `name` is from the person's own address book, `notify` how the other calls themselves. */
const contact = z.object({
  name: z.string().optional(),
  notify: z.string().optional(),
  verifiedName: z.string().optional(),
});
export type Contact = z.infer<typeof contact>;

type Kind = "m" | "p" | "c" | "n" | "a";
const kindOf = (id: string) => id.slice(0, 1);

/** A chat that is not among the newest so many has no read marker, and its group no name. */
const MAX_CHATS = 5_000;
/** About 200 bytes each. The first that were heard of go. */
const MAX_CONTACTS = 5_000;

/**
 * What the chat store has in memory, which is also what lies in the device state: the newest messages, what is known of
 * the pages with the others, chats and contacts. Every change rides on the next append of the state.
 */
export class ChatRecords {
  readonly #state: DeviceState<Credentials>;
  readonly #messages = new Map<string, string>();
  readonly #pages = new Map<string, Page>();
  readonly #chats = new Map<string, string>();
  readonly #contacts = new Map<string, string>();
  #messageBytes = 0;
  #account: string | undefined;

  constructor(state: DeviceState<Credentials>) {
    this.#state = state;
    for (const [id, text] of state.chats) {
      const name = id.slice(2);
      const kind = kindOf(id);
      if (kind === "m") this.#holdMessage(name, text);
      if (kind === "p") this.#pages.set(name, parsePage(name, text));
      if (kind === "c") this.#chats.set(name, text);
      if (kind === "n") this.#contacts.set(name, text);
      if (kind === "a") this.#account = name;
    }
  }

  /** Versions of messages by their names, those that were put first at the beginning. */
  get messages(): ReadonlyMap<string, string> {
    return this.#messages;
  }
  /** About what they take. */
  get messageBytes(): number {
    return this.#messageBytes;
  }
  /** Those that were stored first at the beginning. */
  get pages(): ReadonlyMap<string, Page> {
    return this.#pages;
  }
  get contacts(): Iterable<[address: string, contact: Contact]> {
    return [...this.#contacts].map(([address, text]) => [address, contact.parse(JSON.parse(text))]);
  }

  /** The phone number whose chats these are. */
  get account(): string | undefined {
    return this.#account;
  }
  set account(phone: string) {
    this.#account = phone;
    this.#state.putChat(`a|${phone}`, "true");
  }

  putMessage(message: StoredMessage): void {
    const name = nameOf(message);
    const text = JSON.stringify(message);
    this.#state.putChat(`m|${name}`, text);
    this.#holdMessage(name, text);
  }

  /** These are in the page now. A message that has changed meanwhile stays: its newer version is not. */
  moveToPage(page: Page, messages: readonly MessageText[]): void {
    this.putPage(page);
    for (const [name, text] of messages) {
      if (this.#messages.get(name) !== text) continue;
      this.#state.putChat(`m|${name}`, undefined);
      this.#messages.delete(name);
      this.#messageBytes -= name.length + text.length;
    }
  }

  putPage(page: Page): void {
    this.#state.putChat(`p|${page.name}`, pageText(page));
    this.#pages.set(page.name, page);
  }

  dropPage(name: string): void {
    this.#state.putChat(`p|${name}`, undefined);
    this.#pages.delete(name);
  }

  chat(address: string): Chat {
    const text = this.#chats.get(address);
    return text === undefined ? {} : chat.parse(JSON.parse(text));
  }

  putChat(address: string, value: Chat): void {
    this.#put("c", this.#chats, address, value, MAX_CHATS);
  }

  contact(address: string): Contact {
    const text = this.#contacts.get(address);
    return text === undefined ? {} : contact.parse(JSON.parse(text));
  }

  putContact(address: string, value: Contact): void {
    this.#put("n", this.#contacts, address, value, MAX_CONTACTS);
  }

  /** Another account has been linked: nothing of this is its. Answers the names of the pages. */
  clear(): string[] {
    for (const id of this.#state.chats.keys()) this.#state.putChat(id, undefined);
    const pages = [...this.#pages.keys()];
    for (const map of [this.#messages, this.#pages, this.#chats, this.#contacts]) map.clear();
    this.#messageBytes = 0;
    this.#account = undefined;
    return pages;
  }

  #holdMessage(name: string, text: string): void {
    const before = this.#messages.get(name);
    this.#messageBytes += text.length - (before?.length ?? -name.length);
    this.#messages.set(name, text);
  }

  #put(kind: Kind, map: Map<string, string>, address: string, value: object, most: number): void {
    const text = JSON.stringify(value);
    if (map.get(address) === text) return;
    this.#state.putChat(`${kind}|${address}`, text);
    map.set(address, text);
    const [oldest] = map.keys();
    if (map.size <= most || oldest === undefined) return;
    map.delete(oldest);
    this.#state.putChat(`${kind}|${oldest}`, undefined);
  }
}
