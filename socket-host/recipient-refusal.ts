import { GROUP_SERVER, parseJid, phoneOfJid } from "../shared/jid.ts";
import type { Device } from "./device.ts";
import { groupRefusal } from "./group-refusal.ts";
import type { Refusal } from "./refusal.ts";

/**
 * Why a message cannot be sent to a recipient, asked before anything is. WhatsApp itself would take one to a number without
 * an account and deliver it to nobody; and a message that a group refuses takes the group's keys along. Rejects when the
 * connection is not open or WhatsApp does not say.
 */
export async function recipientRefusal(device: Device, to: string): Promise<Refusal | undefined> {
  const jid = parseJid(to);
  if (!jid) return { errorCode: "invalid_phone" };
  if (jid.server === GROUP_SERVER) return await groupRefuses(device, to);
  const phone = phoneOfJid(to);
  return phone && !(await device.isOnWhatsApp(phone)) ? { errorCode: "not_on_whatsapp" } : undefined;
}

async function groupRefuses(device: Device, group: string): Promise<Refusal | undefined> {
  const mayWrite = await device.openConnection?.socket.groups.mayWrite(group);
  if (mayWrite?.outcome === "refused") return groupRefusal(mayWrite.code);
  if (mayWrite?.outcome !== "done") throw new Error("the server did not answer who is in the group");
  return mayWrite.value ? undefined : { errorCode: "group_forbidden" };
}
