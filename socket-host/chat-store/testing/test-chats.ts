import { createLog } from "../../../shared/log.ts";
import type { MessageContent } from "../../../shared/message.ts";
import type { Storage } from "../../../shared/storage.ts";
import { DeviceState } from "../../device-state/state.ts";
import { newCredentials } from "../../whatsapp/credentials.ts";
import type { ChatMessage } from "../chat-message.ts";
import { ChatReader } from "../chat-reader.ts";
import { ChatStore } from "../chat-store.ts";
import { PageCache } from "../page-cache.ts";
import { PageObjects } from "../page-objects.ts";
import { People } from "../people.ts";

/** A message as WhatsApp encodes it: the text `halo`. */
export const BYTES = Buffer.from("\n\u0004halo");

const log = createLog("test", "silent");
const PLACE = { prefix: "devices/user/device/", key: Buffer.alloc(32, 9) };

/** Who is known under two addresses: LID → phone number. */
export type Pairs = Map<string, string>;

/** One life of a device's chat store. The state is only closed when a test says so: else it is as after a crash. */
export async function openChats(storage: Storage, epoch: number, pairs: Pairs = new Map()) {
  const place = { ...PLACE, storage, epoch };
  const opened = await DeviceState.open({ ...place, newCreds: newCredentials, log });
  if (opened.outcome !== "open") throw new Error(JSON.stringify(opened));
  const { state } = opened;
  const pages = new PageObjects({ ...place, cache: new PageCache(), log });
  const people = new People({ addressesOf: (...texts) => addressesOf(texts[0] ?? "", pairs) });
  const store = new ChatStore({ state, pages, people, log });
  const reader = new ChatReader({ records: store.records, pages, people });
  return { state, store, reader };
}

function addressesOf(text: string, pairs: Pairs) {
  const lid = text.endsWith("@lid") ? text : [...pairs].find(([, pn]) => pn === text)?.[0];
  const pn = text.endsWith("@lid") ? pairs.get(text) : text.endsWith("@g.us") ? undefined : text;
  return { jid: pn ?? text, phone: pn?.split("@")[0] ?? null, lid: lid?.split("@")[0] ?? null };
}

export type Draft = {
  chat: string;
  id: string;
  at: number;
  fromMe?: boolean;
  sender?: string;
  name?: string;
  text?: string;
  content?: MessageContent;
};

export function message({ chat, id, at, fromMe = false, sender = chat, name, text = id, content }: Draft): ChatMessage {
  return {
    messageId: id,
    chat: { jid: chat },
    fromMe,
    sender: { jid: sender, name: name ?? null },
    sentAt: new Date(at),
    content: content ?? { messageType: "text", text },
    bytes: () => BYTES,
  };
}
