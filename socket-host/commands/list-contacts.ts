import type { ContactList } from "../../shared/chats.ts";
import type { DeviceChats } from "../device-chats.ts";
import type { Reading } from "./read-chats.ts";

/** Everybody whose name is known, by name. */
export function listContacts({ reader }: DeviceChats): Reading {
  const contacts = [...reader.contacts()].map(([id, { name = null, notify = null, verifiedName = null }]) => ({
    id,
    name,
    notify,
    verifiedName,
  }));
  const label = ({ id, name, verifiedName, notify }: (typeof contacts)[number]) => name ?? verifiedName ?? notify ?? id;
  contacts.sort((a, b) => label(a).localeCompare(label(b)));
  const answer: ContactList = { contacts, total: contacts.length };
  return { answer };
}
