import "./quiet.ts";
import { getBinaryNodeChild, getBinaryNodeChildren } from "@whiskeysockets/baileys";
import type { BinaryNode, GroupMetadata, WASocket } from "@whiskeysockets/baileys";
import { outcomeOf } from "../../shared/groups.ts";
import type { CreatedGroup, GroupInfo, GroupSummary, MemberAction, ParticipantOutcome } from "../../shared/groups.ts";
import { GROUP_SERVER, formatJid } from "../../shared/jid.ts";
import type { AddressBook } from "./address-book.ts";
import { groupInfo, groupSummary } from "./group-view.ts";

/** `refused`: with WhatsApp's code. `lost`: no answer came, so what was asked for may or may not have been done. */
export type Asked<Value> =
  | { outcome: "done"; value: Value }
  | { outcome: "refused"; code: number }
  | { outcome: "lost" };

type Sock = Pick<
  WASocket,
  "query" | "groupMetadata" | "groupFetchAllParticipating" | "groupInviteCode" | "groupParticipantsUpdate" | "ws"
>;

/** People of the groups that a connection remembers, all together: one very large group, or a hundred usual ones. */
const MAX_REMEMBERED_PEOPLE = 2_000;

/**
 * The groups of one connection. What is known of them is kept as long as WhatsApp tells of no change, so that a message to
 * a group asks for its members once; all groups are fetched once at most.
 */
export class Groups {
  readonly #sock: Sock;
  readonly #book: AddressBook;
  /** By JID, those that were asked for last at the end. */
  readonly #known = new Map<string, Promise<Asked<GroupMetadata>>>();
  readonly #sizes = new Map<string, number>();
  readonly #codes = new Map<string, string>();
  #list: Promise<Asked<Map<string, GroupSummary>>> | undefined;
  /** Which of those that are listed may have changed since. */
  readonly #changed = new Set<string>();

  constructor(sock: Sock, book: AddressBook) {
    this.#sock = sock;
    this.#book = book;
    sock.ws.on("CB:notification,type:w:gp2", ({ attrs }: BinaryNode) => this.#forget(attrs["from"] ?? ""));
  }

  /** Every group that the account is in. */
  async list(): Promise<Asked<GroupSummary[]>> {
    this.#list ??= this.#fetchAll();
    const list = await this.#list;
    if (list.outcome !== "done") return list;
    const listed = list.value;
    for (const id of this.#changed) {
      this.#changed.delete(id);
      const group = await this.metadata(id);
      if (group.outcome === "lost") {
        this.#changed.add(id);
        return group;
      }
      if (group.outcome === "done") listed.set(id, groupSummary(group.value, this.#book));
      else listed.delete(id);
    }
    return { outcome: "done", value: [...listed.values()] };
  }

  async info(group: string): Promise<Asked<GroupInfo>> {
    const found = await this.metadata(group);
    return found.outcome === "done" ? { outcome: "done", value: groupInfo(found.value, this.#book) } : found;
  }

  /** The code of a group's invite link, of which WhatsApp tells its admins; undefined where it does not. */
  async inviteCode(group: string): Promise<string | undefined> {
    const known = this.#codes.get(group);
    if (known !== undefined) return known;
    const asked = await attempt(() => this.#sock.groupInviteCode(group));
    const code = asked.outcome === "done" ? asked.value : undefined;
    // With the group itself it is let go of.
    if (code !== undefined && this.#known.has(group)) this.#codes.set(group, code);
    return code;
  }

  /** A group of this subject that the account itself has made, at or after a time in milliseconds since 1970. */
  async findOwn(subject: string, since: number): Promise<Asked<GroupInfo | undefined>> {
    const listed = await this.list();
    if (listed.outcome !== "done") return listed;
    const self = this.#book.self().jid;
    const found = listed.value.find(
      (group) => group.owner === self && group.subject === subject && Date.parse(group.createdAt ?? "") >= since,
    );
    return found ? await this.info(found.id) : { outcome: "done", value: undefined };
  }

  /** Whether the account may write to a group that it is in. */
  async mayWrite(group: string): Promise<Asked<boolean>> {
    const found = await this.metadata(group);
    if (found.outcome !== "done") return found;
    return { outcome: "done", value: !found.value.announce || groupSummary(found.value, this.#book).isAdmin };
  }

  /** As Baileys wants to know it when it sends. Refused with 404 and 403 for a group that is not there or not ours. */
  async metadata(group: string): Promise<Asked<GroupMetadata>> {
    const known = this.#known.get(group);
    const asking = known ?? attempt(() => this.#sock.groupMetadata(group));
    this.#known.delete(group);
    this.#known.set(group, asking);
    const found = await asking;
    // Only what is still true: a change that came meanwhile has taken it away.
    if (this.#known.get(group) !== asking) return found;
    if (found.outcome === "done") this.#sizes.set(group, found.value.participants.length);
    else this.#known.delete(group);
    this.#keepWithinBounds(group);
    return found;
  }

  /**
   * Makes a group. The server takes what it is asked at its word each time, so asking twice makes two.
   * @param key goes out with the request and comes back in the notification (whatsmeow, ReqCreateGroup.CreateKey)
   */
  async create(subject: string, people: readonly string[], key: string): Promise<Asked<CreatedGroup>> {
    const participants = people.map((jid): BinaryNode => ({ tag: "participant", attrs: { jid } }));
    const create: BinaryNode = { tag: "create", attrs: { subject, key }, content: participants };
    const answer = await attempt(async () => {
      const attrs = { type: "set", xmlns: "w:g2", to: `@${GROUP_SERVER}` };
      const reply = (await this.#sock.query({ tag: "iq", attrs, content: [create] })) as BinaryNode | undefined;
      const group = reply && getBinaryNodeChild(reply, "group");
      const id = group?.attrs["id"]?.split("@")[0];
      if (!group || !id) throw new Error("the answer has no group");
      return { group, groupId: formatJid({ user: id, server: GROUP_SERVER }) };
    });
    if (answer.outcome !== "done") return answer;
    const { group, groupId } = answer.value;
    this.#forget(groupId);
    return {
      outcome: "done",
      value: { groupId, participants: this.#others(getBinaryNodeChildren(group, "participant")) },
    };
  }

  async change(group: string, action: MemberAction, people: readonly string[]): Promise<Asked<ParticipantOutcome[]>> {
    const answer = await attempt(() => this.#sock.groupParticipantsUpdate(group, [...people], action));
    // The notification may come later than the next question.
    this.#forget(group);
    if (answer.outcome !== "done") return answer;
    const outcomes = answer.value.map(({ content }) => this.#outcomeOf(content));
    // Baileys takes an answer that never came for an empty one.
    return outcomes.length ? { outcome: "done", value: outcomes } : { outcome: "lost" };
  }

  async #fetchAll(): Promise<Asked<Map<string, GroupSummary>>> {
    const all = await attempt(() => this.#sock.groupFetchAllParticipating());
    if (all.outcome === "done") {
      const summaries = Object.values(all.value).map((group) => [group.id, groupSummary(group, this.#book)] as const);
      return { outcome: "done", value: new Map(summaries) };
    }
    this.#list = undefined;
    return all;
  }

  #forget(group: string): void {
    this.#known.delete(group);
    this.#sizes.delete(group);
    this.#codes.delete(group);
    if (this.#list && group) this.#changed.add(group);
  }

  /** The one that was asked for just now stays, however large it is. */
  #keepWithinBounds(newest: string): void {
    let people = [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
    for (const group of this.#known.keys()) {
      if (people <= MAX_REMEMBERED_PEOPLE) return;
      const size = this.#sizes.get(group);
      if (group === newest || size === undefined) continue;
      people -= size;
      this.#known.delete(group);
      this.#sizes.delete(group);
      this.#codes.delete(group);
    }
  }

  #others(people: readonly BinaryNode[]): ParticipantOutcome[] {
    const self = this.#book.self().jid;
    return people.map((person) => this.#outcomeOf(person)).filter(({ jid }) => jid !== self);
  }

  /** A participant of an answer: `error` is WhatsApp's code, absent when it was done (lib/Socket/groups.js). */
  #outcomeOf({ attrs }: BinaryNode): ParticipantOutcome {
    const { jid } = this.#book.addressesOf(attrs["jid"], attrs["phone_number"], attrs["lid"]);
    return outcomeOf(jid, Number(attrs["error"] ?? 200));
  }
}

/** WhatsApp's refusals come as Boom errors with the code as `data` (lib/WABinary/generic-utils.js, assertNodeErrorFree). */
async function attempt<Value>(ask: () => Promise<Value>): Promise<Asked<Value>> {
  try {
    return { outcome: "done", value: await ask() };
  } catch (err) {
    const code = err instanceof Error && "data" in err ? err.data : undefined;
    return typeof code === "number" && code > 0 ? { outcome: "refused", code } : { outcome: "lost" };
  }
}
