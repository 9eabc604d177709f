import type { ChatRecords } from "./chat-records.ts";
import { messagesIn } from "./page.ts";
import type { MessageText } from "./page.ts";
import type { PageObjects } from "./page-objects.ts";
import { identityOf, prefixOfId } from "./stored-message.ts";
import type { Identity, StoredMessage } from "./stored-message.ts";

type Place = { records: ChatRecords; pages: PageObjects };

/** The newest version of the first message of this id that fits. Rejects when a page is needed and the store fails. */
export async function findMessage(
  { records, pages }: Place,
  id: string,
  fits: (identity: Identity) => boolean,
): Promise<StoredMessage | undefined> {
  const pick = matching(prefixOfId(id), fits);
  const held = pick(records.messages);
  if (held) return held;
  // Newest first: a later version of a message is in a later page.
  for (const page of [...records.pages.values()].reverse()) {
    if (!page.ids.has(id)) continue;
    const found = pick(messagesIn(await pages.read(page)));
    if (found) return found;
  }
  return undefined;
}

const matching = (prefix: string, fits: (identity: Identity) => boolean) => (messages: Iterable<MessageText>) => {
  for (const [name, text] of messages) {
    if (name.startsWith(prefix) && fits(identityOf(name))) return JSON.parse(text) as StoredMessage;
  }
  return undefined;
};
