import "./quiet.ts";
import type { BinaryNode } from "@whiskeysockets/baileys";
import { mayBeOurMessageId } from "../../shared/ids.ts";
import type { DeviceState } from "../device-state/state.ts";
import { AddressBook } from "./address-book.ts";
import type { Credentials } from "./credentials.ts";
import { callFacts } from "./decode/call-facts.ts";
import { groupFacts } from "./decode/group-facts.ts";
import { factsEntry, receiptEntry, unavailableEntry } from "./decode/journaled.ts";
import { pairsIn } from "./decode/pairs-in.ts";
import { receiptsOf } from "./decode/receipt.ts";
import { WITHHELD } from "./decode/incoming-message.ts";
import { journalKey, journalMessage } from "./journal-message.ts";

/**
 * Writes down what the server brings besides encrypted messages: receipts, changes of groups, calls, messages that are
 * not encrypted. Baileys acknowledges each after its own handling, and the server forgets it then; so it is in the journal
 * before Baileys sees it, and the output gate holds that acknowledgement until it is durable.
 *
 * @param isIgnored whose messages are nobody's business here
 */
export function journalStanzas(
  ws: { prependListener: (event: string, listener: (node: BinaryNode) => void) => unknown },
  state: DeviceState<Credentials>,
  isIgnored: (jid: string) => boolean,
): void {
  const book = new AddressBook(state);
  const listen = (event: string, journal: (node: BinaryNode) => void) =>
    ws.prependListener(event, (node) => {
      // Nothing that is said on a failed state can leave.
      if (!state.failed && !isIgnored(node.attrs["from"] ?? "")) journal(node);
    });

  listen("CB:receipt", (node) => {
    for (const receipt of receiptsOf(node, book)) {
      // What is typed on the phone has receipts, too, which nobody asks for. Not whether the outbox knows the message: a
      // campaign of pictures fills that within minutes, and people read for days.
      const messageIds = receipt.messageIds.filter(mayBeOurMessageId);
      if (messageIds.length) state.journalSoon(...receiptEntry({ ...receipt, messageIds }));
    }
  });
  for (const [event, factsOf] of [
    ["CB:notification", groupFacts],
    ["CB:call", callFacts],
  ] as const) {
    listen(event, (node) => {
      book.learn(pairsIn(node));
      const facts = factsOf(node, book);
      if (facts.length) state.journal(...factsEntry(facts));
    });
  }
  listen("CB:message", ({ attrs, content }) => {
    // Own devices always encrypt what they tell each other: it is an entry of the journal, given to Baileys again.
    if (attrs["category"] === "peer") return;
    for (const { tag, attrs: about, content: plain } of Array.isArray(content) ? content : []) {
      if (tag === "unavailable") journalUnavailable(state, attrs, about["type"]);
      if (tag !== "plaintext" || !(plain instanceof Uint8Array)) continue;
      const key = journalKey(plain);
      if (!state.inbox.has(key)) journalMessage(state, { key, attrs, kind: "plaintext", plain });
    }
  });
}

/** Messages that Baileys does not ask our phone for (lib/Socket/messages-recv.js, handleMessage). */
const NOT_ASKED_FOR = ["bot_unavailable_fanout", "hosted_unavailable_fanout", "view_once_unavailable_fanout"];

/** The server has a message and does not give its content: linked devices do not get what may be seen once. */
function journalUnavailable(state: DeviceState<Credentials>, attrs: Record<string, string>, type = ""): void {
  const [key, entry] = unavailableEntry(attrs, type);
  if (state.inbox.has(key) || NOT_ASKED_FOR.includes(type)) return;
  if (type === "view_once") journalMessage(state, { key, attrs, kind: WITHHELD, plain: Buffer.from(type) });
  else state.journal(key, entry);
}
