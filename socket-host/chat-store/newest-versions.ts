import type { MessageText } from "./page.ts";
import type { People } from "./people.ts";
import { comparePositions, identityOf } from "./stored-message.ts";
import type { Identity, StoredMessage } from "./stored-message.ts";

type Wanted = { identity: (identity: Identity) => boolean; message: (message: StoredMessage) => boolean };

/** Messages out of memory and pages, each once, as its latest version says. */
export class NewestVersions {
  readonly #people: People;
  readonly #wanted: Wanted;
  readonly #found = new Map<string, { message: StoredMessage; age: number }>();
  readonly #canonical = new Map<string, string>();

  /** `wanted`: which messages are asked for; what a name tells is looked at first, as it costs least. */
  constructor(people: People, wanted: Wanted) {
    this.#people = people;
    this.#wanted = wanted;
  }

  /** @param age rises with the time at which this place was written; memory is the newest of all */
  add(texts: Iterable<MessageText>, age: number): void {
    for (const [name, text] of texts) {
      const identity = identityOf(name);
      if (!this.#wanted.identity(identity)) continue;
      const key = this.#keyOf(identity);
      if ((this.#found.get(key)?.age ?? -1) > age) continue;
      const message = JSON.parse(text) as StoredMessage;
      if (this.#wanted.message(message)) this.#found.set(key, { message, age });
    }
  }

  newestFirst(): StoredMessage[] {
    return [...this.#found.values()].map(({ message }) => message).sort((a, b) => comparePositions(b, a));
  }

  /** One message may have been stored under two addresses of one person, before they were known to be one. */
  #keyOf({ id, chat, fromMe, sender }: Identity): string {
    return [this.#canonicalOf(chat), fromMe, sender && this.#canonicalOf(sender), id].join("|");
  }

  #canonicalOf(address: string): string {
    const known = this.#canonical.get(address);
    if (known !== undefined) return known;
    const canonical = this.#people.canonical(address);
    this.#canonical.set(address, canonical);
    return canonical;
  }
}
