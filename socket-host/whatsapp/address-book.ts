import { GROUP_SERVER, LID_SERVER, USER_SERVER, formatJid, parseJid } from "../../shared/jid.ts";
import type { Addresses } from "../../shared/message.ts";
import type { DeviceState } from "../device-state/state.ts";
import type { Credentials } from "./credentials.ts";

/** Types of records. */
const BAILEYS = "lid-mapping";
const LEARNT = "learnt-lid";

export type Pair = { phone: string; lid: string };

/**
 * What the device knows of who is who. Baileys keeps the pairs of phone number and LID among the Signal keys
 * (lib/Signal/lid-mapping.js): `<phone>` → LID and `<lid>_reverse` → phone number.
 */
export class AddressBook {
  readonly #state: DeviceState<Credentials>;

  constructor(state: DeviceState<Credentials>) {
    this.#state = state;
  }

  /**
   * Both addresses of one person, from all that a stanza says of them, the most trusted first, and from what was learnt
   * before. A group, or what is no address, is only itself.
   */
  addressesOf(...texts: (string | null | undefined)[]): Addresses {
    const known = texts.flatMap((text) => parseJid(text ?? "") ?? []);
    const userOn = (server: string) => known.find((one) => one.server === server)?.user;
    const first = known[0];
    if (!first || first.server === GROUP_SERVER) {
      return { jid: first ? formatJid(first) : (texts.find(Boolean) ?? ""), phone: null, lid: null };
    }
    const lid = userOn(LID_SERVER) ?? this.#lidOf(userOn(USER_SERVER));
    const phone = userOn(USER_SERVER) ?? this.#phoneOf(lid);
    const jid = phone
      ? formatJid({ user: phone, server: USER_SERVER })
      : formatJid({ user: first.user, server: LID_SERVER });
    return { jid, phone: phone ?? null, lid: lid ?? null };
  }

  /**
   * Remembers who is who, from what Baileys passes over. Apart from its own pairs: it moves a session to the LID when a
   * pair is new to it. Losing one costs a name in an event, so none is waited for.
   */
  learn(pairs: readonly Pair[]): void {
    const fresh = pairs.filter(({ phone, lid }) => this.#lidOf(phone) !== lid);
    if (!fresh.length) return;
    const records = fresh.flatMap(({ phone, lid }) => [
      [phone, lid],
      [`${lid}_reverse`, phone],
    ]);
    this.#state.setLazily({ [LEARNT]: Object.fromEntries(records) as Record<string, string> });
  }

  /** The account itself. */
  self(): Addresses {
    const { me } = this.#state.creds;
    return this.addressesOf(me?.id, me?.lid);
  }

  #lidOf(phone: string | undefined): string | undefined {
    const [ownPhone, ownLid] = this.#own();
    return phone && phone === ownPhone ? ownLid : this.#lookUp(phone);
  }

  #phoneOf(lid: string | undefined): string | undefined {
    const [ownPhone, ownLid] = this.#own();
    return lid && lid === ownLid ? ownPhone : this.#lookUp(lid && `${lid}_reverse`);
  }

  /** The account's own pair lies in its credentials. */
  #own(): [phone: string | undefined, lid: string | undefined] {
    const { me } = this.#state.creds;
    return [parseJid(me?.id ?? "")?.user, parseJid(me?.lid ?? "")?.user];
  }

  #lookUp(id: string | undefined): string | undefined {
    // A state that has failed answers no more, and what is still to be told is told without it.
    if (!id || this.#state.failed) return undefined;
    const found = this.#state.get(BAILEYS, [id])[id] ?? this.#state.get(LEARNT, [id])[id];
    return typeof found === "string" ? found : undefined;
  }
}
