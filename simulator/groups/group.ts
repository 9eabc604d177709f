import { randomBytes } from "node:crypto";
import type { Account } from "../network/account.ts";
import type { Kept } from "../network/kept.ts";
import { lidJid, pnJid } from "../wire/jid.ts";

export type Role = "member" | "admin" | "superadmin";

export type GroupSettings = {
  /** Only admins write. */
  announcement: boolean;
  /** Only admins change subject, description, picture and how long messages last. */
  locked: boolean;
  /** Only admins add people. */
  adminsAdd: boolean;
  /** Whoever comes by invite link waits for an admin to approve. */
  joinApproval: boolean;
  /** How long messages last; 0: for ever. */
  ephemeralSeconds: number;
};

/** A text that somebody set; `at` in seconds since 1970. */
export type Signed = { text: string; by: string; at: number };

/** Where the picture is in the media library, and its size in bytes. */
export type GroupPicture = { id: string; directPath: string; size: number };

export type GroupRecord = {
  id: string;
  addressing: "lid" | "pn";
  creator: string;
  createdAt: number;
  subject: Signed;
  description?: (Signed & { id: string }) | undefined;
  picture?: GroupPicture | undefined;
  settings: GroupSettings;
  members: [number: string, role: Role][];
  inviteCode: string;
  revokedCodes: string[];
  /** Numbers that want to join, with the time they asked, in seconds. */
  requests: [number: string, at: number][];
  /** Personal invitations of people whom the privacy settings keep from being added, by code. */
  invitations: [code: string, number: string][];
  /** Who left on their own, with the time on the simulator's clock in milliseconds. */
  left: [number: string, atMs: number][];
};

/** WhatsApp's own limit for ordinary groups. */
export const MAX_MEMBERS = 1_024;
/** So many requests, invitations, departures and revoked codes are remembered. */
const MAX_REMEMBERED = 1_024;
/** What somebody who has just left is protected from: being added again (408). The real length is not known. */
const PROTECTED_AFTER_LEAVING_MS = 24 * 60 * 60 * 1_000;

/** A group: who is in it and with which rights, what it is called, who may do what. People are named by number. */
export class Group implements Kept {
  readonly keptIn = "groups";
  /** With `@g.us`. */
  readonly id: string;
  /** By which of their two addresses members are known in this group. */
  readonly addressing: "lid" | "pn";
  readonly creator: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly members: Map<string, Role>;
  readonly requests: Map<string, number>;
  readonly settings: GroupSettings;
  subject: Signed;
  description: (Signed & { id: string }) | undefined;
  picture: GroupPicture | undefined;
  inviteCode: string;
  readonly #revokedCodes: Set<string>;
  readonly #invitations: Map<string, string>;
  readonly #left: Map<string, number>;

  constructor(record: GroupRecord) {
    this.id = record.id;
    this.addressing = record.addressing;
    this.creator = record.creator;
    this.createdAt = record.createdAt;
    this.subject = record.subject;
    this.description = record.description;
    this.picture = record.picture;
    this.settings = record.settings;
    this.members = new Map(record.members);
    this.inviteCode = record.inviteCode;
    this.#revokedCodes = new Set(record.revokedCodes);
    this.requests = new Map(record.requests);
    this.#invitations = new Map(record.invitations);
    this.#left = new Map(record.left);
  }

  get keptAs(): string {
    return this.id;
  }

  isAdmin({ number }: Account): boolean {
    const role = this.members.get(number);
    return role === "admin" || role === "superadmin";
  }

  /** How a member is addressed in this group. */
  jidOf({ number, lid }: Account, device = 0): string {
    return this.addressing === "lid" ? lidJid(lid, device) : pnJid(number, device);
  }

  /** The address of a member that is not used in this group; `undefined` if it is a number that the person hides. */
  otherJidOf({ number, lid, profile }: Account): string | undefined {
    if (this.addressing === "pn") return lidJid(lid);
    return profile.isNumberHidden ? undefined : pnJid(number);
  }

  join({ number }: Account): void {
    this.members.set(number, "member");
    this.requests.delete(number);
    this.#left.delete(number);
  }

  /** Somebody leaves on their own. */
  leave({ number }: Account, nowMs: number): void {
    this.members.delete(number);
    remember(this.#left, number, nowMs);
  }

  hasJustLeft({ number }: Account, nowMs: number): boolean {
    const leftAt = this.#left.get(number);
    return leftAt !== undefined && nowMs - leftAt < PROTECTED_AFTER_LEAVING_MS;
  }

  revokeCode(): void {
    this.#revokedCodes.add(this.inviteCode);
    const [oldest] = this.#revokedCodes;
    if (this.#revokedCodes.size > MAX_REMEMBERED && oldest !== undefined) this.#revokedCodes.delete(oldest);
    this.inviteCode = newInviteCode();
  }

  wasRevoked(code: string): boolean {
    return this.#revokedCodes.has(code);
  }

  request({ number }: Account, atSeconds: number): void {
    remember(this.requests, number, atSeconds);
  }

  /** A personal invitation for somebody who cannot be added; answers its code. */
  invite({ number }: Account): string {
    const code = newInviteCode();
    remember(this.#invitations, code, number);
    return code;
  }

  /** Uses a personal invitation up; false if there is none with this code for this person. */
  takeInvitation(code: string, { number }: Account): boolean {
    return this.#invitations.get(code) === number && this.#invitations.delete(code);
  }

  withdrawInvitations({ number }: Account): void {
    for (const [code, invited] of this.#invitations) if (invited === number) this.#invitations.delete(code);
  }

  toRecord(): GroupRecord {
    return {
      id: this.id,
      addressing: this.addressing,
      creator: this.creator,
      createdAt: this.createdAt,
      subject: this.subject,
      description: this.description,
      picture: this.picture,
      settings: this.settings,
      inviteCode: this.inviteCode,
      members: [...this.members],
      revokedCodes: [...this.#revokedCodes],
      requests: [...this.requests],
      invitations: [...this.#invitations],
      left: [...this.#left],
    };
  }
}

/** As they look in `https://chat.whatsapp.com/<code>`: 22 letters and digits. */
export function newInviteCode(): string {
  return randomBytes(32)
    .toString("base64")
    .replaceAll(/[^0-9A-Za-z]/g, "")
    .padEnd(22, "0")
    .slice(0, 22);
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
}
