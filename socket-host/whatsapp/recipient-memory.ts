import { parseJid } from "../../shared/jid.ts";
import type { DeviceState } from "../device-state/state.ts";
import type { Credentials } from "./credentials.ts";
import { forgetDeviceLists } from "./device-lists.ts";

/** Who has our sender key of a group, by device (lib/Socket/messages-send.js, relayMessage). */
const HOLDERS = "sender-key-memory";
/** Phone number → LID, and `<LID>_reverse` → phone number (lib/Signal/lid-mapping.js). */
const LIDS = "lid-mapping";

/**
 * The next message to this group carries our sender key again, for everyone. A stanza that was lost may have been the
 * one that carried it, while Baileys believes that everyone has it. Nothing to do for a person. Throws `StateFailure`.
 */
export function redistributeSenderKey(state: DeviceState<Credentials>, to: string): void {
  if (isGroup(to)) state.set({ [HOLDERS]: { [to]: null } });
}

/**
 * The server has refused a message to this recipient: what is remembered about their devices may be wrong, and is asked
 * for anew with the next message. Throws `StateFailure`.
 */
export function forgetRecipient(state: DeviceState<Credentials>, to: string): void {
  forgetDeviceLists(state, isGroup(to) ? membersOf(state, to) : namesOf(state, to));
  redistributeSenderKey(state, to);
}

const isGroup = (jid: string) => parseJid(jid)?.server === "g.us";
const userOf = (jid: string) => parseJid(jid)?.user ?? jid;

function membersOf(state: DeviceState<Credentials>, group: string): string[] {
  const holders = state.get(HOLDERS, [group])[group];
  return typeof holders === "object" && holders ? Object.keys(holders).map(userOf) : [];
}

/** A person's devices may be remembered under the phone number and under the LID. */
function namesOf(state: DeviceState<Credentials>, to: string): string[] {
  const user = userOf(to);
  const others = Object.values(state.get(LIDS, [user, `${user}_reverse`])).map(String);
  return [user, ...others];
}
