import { GROUP_SERVER } from "../wire/jid.ts";
import { Group, newInviteCode, type GroupRecord } from "./group.ts";

/** More than this does not come into being (419). */
const MAX_GROUPS = 5_000;
/** Ids of real groups are this followed by digits. */
const ID_PREFIX = "120363";

/** All groups there are. */
export class Groups {
  readonly #byId = new Map<string, Group>();

  get isFull(): boolean {
    return this.#byId.size >= MAX_GROUPS;
  }

  /** A new group with nobody in it but its creator. */
  create(order: { creator: string; subject: string; addressing: "lid" | "pn"; atSeconds: number }): Group {
    const { creator, subject, addressing, atSeconds } = order;
    return this.add({
      id: this.#newId(),
      addressing,
      creator,
      createdAt: atSeconds,
      subject: { text: subject, by: creator, at: atSeconds },
      settings: { announcement: false, locked: false, adminsAdd: false, joinApproval: false, ephemeralSeconds: 0 },
      members: [[creator, "superadmin"]],
      inviteCode: newInviteCode(),
      revokedCodes: [],
      requests: [],
      invitations: [],
      left: [],
    });
  }

  add(record: GroupRecord): Group {
    const group = new Group(record);
    this.#byId.set(group.id, group);
    return group;
  }

  /** By id, with `@g.us` or without. */
  find(id: string): Group | undefined {
    return this.#byId.get(id.includes("@") ? id : `${id}@${GROUP_SERVER}`);
  }

  /** By the code of an invite link, also one that was revoked. */
  byCode(code: string): Group | undefined {
    return [...this.#byId.values()].find((group) => group.inviteCode === code || group.wasRevoked(code));
  }

  /** The groups that somebody is in. */
  of(number: string): Group[] {
    return [...this.#byId.values()].filter((group) => group.members.has(number));
  }

  clear(): void {
    this.#byId.clear();
  }

  #newId(): string {
    for (;;) {
      const digits = String(Math.floor(Math.random() * 1e12)).padStart(12, "0");
      const id = `${ID_PREFIX}${digits}@${GROUP_SERVER}`;
      if (!this.#byId.has(id)) return id;
    }
  }
}
