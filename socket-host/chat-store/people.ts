import type { Identity } from "./stored-message.ts";

/** Both addresses of a person as far as they are known; `jid` is the phone number's where that is among them. */
export type AddressBook = {
  addressesOf: (...texts: (string | null | undefined)[]) => { jid: string; phone: string | null; lid: string | null };
};

/** One person may have been met under a LID first and under a phone number later. */
export class People {
  readonly #book: AddressBook;

  constructor(book: AddressBook) {
    this.#book = book;
  }

  /** The one address that all addresses of a person, or of a group, have in common as far as is known now. */
  canonical(address: string): string {
    return this.#book.addressesOf(address).jid;
  }

  phone(address: string): string | null {
    return this.#book.addressesOf(address).phone;
  }

  /** Every address under which something of this chat may have been stored. */
  addresses(address: string): string[] {
    const { jid, phone, lid } = this.#book.addressesOf(address);
    return [...new Set([jid, ...(phone ? [`${phone}@s.whatsapp.net`] : []), ...(lid ? [`${lid}@lid`] : [])])];
  }

  isSame(a: Identity, b: Identity): boolean {
    return a.id === b.id && a.fromMe === b.fromMe && this.isOne(a.chat, b.chat) && this.isOne(a.sender, b.sender);
  }

  /** Whether two addresses are one person's, or one group's. */
  isOne(a: string, b: string): boolean {
    return a === b || (a !== "" && b !== "" && this.canonical(a) === this.canonical(b));
  }
}
