import type { BinaryNode } from "../wire/node.ts";

/** Who may see or do what; each is `all`, `contacts`, `contact_blacklist` or `none`, or what Baileys calls it. */
const PRIVACY_CATEGORIES = [
  "readreceipts",
  "last",
  "online",
  "profile",
  "status",
  "groupadd",
  "calladd",
  "messages",
] as const;

/** What WhatsApp keeps a person from for a while: starting chats, since the account was reported or broke a rule. */
export type Restriction = {
  /** One of Baileys' `ReachoutTimelockEnforcementType` (Types/State.js). */
  type: string;
  /** Seconds since 1970; `undefined` if it is not said. */
  until?: number | undefined;
};

/** How many new chats a person may start in a cycle, and has started; times in seconds since 1970. */
export type NewChatCap = {
  quota: number;
  used: number;
  status: "NONE" | "FIRST_WARNING" | "SECOND_WARNING" | "CAPPED";
  cycleStart?: number | undefined;
  cycleEnd?: number | undefined;
};

export type ProfileRecord = {
  about: { text: string; setAt: number };
  picture: { id: string; directPath: string } | undefined;
  business: BinaryNode[] | undefined;
  disappearing: { durationSeconds: number; setAt: number };
  privacy: [category: string, value: string][];
  blocked: string[];
  isNumberHidden?: boolean;
  restriction?: Restriction | undefined;
  newChats?: NewChatCap | undefined;
};

/** What others can learn about a person, and what the person lets them; kept by the server, not by the phone. */
export class Profile {
  about: ProfileRecord["about"];
  picture: ProfileRecord["picture"];
  /** The parts of `<profile>` as they are on the wire; `undefined` for people, who have no business. */
  business: ProfileRecord["business"];
  /** How long messages in new chats live; 0 is forever. */
  disappearing: ProfileRecord["disappearing"];
  readonly privacy: Map<string, string>;
  /** Numbers of people whose messages do not arrive. */
  readonly blocked: Set<string>;
  /** Whether others get to know the person by LID alone. */
  isNumberHidden: boolean;
  restriction: Restriction | undefined;
  newChats: NewChatCap | undefined;

  constructor(record?: ProfileRecord) {
    this.about = record?.about ?? { text: "Simulated.", setAt: Math.floor(Date.now() / 1000) };
    this.picture = record?.picture;
    this.business = record?.business;
    this.disappearing = record?.disappearing ?? { durationSeconds: 0, setAt: 0 };
    this.privacy = new Map(record?.privacy ?? PRIVACY_CATEGORIES.map((category) => [category, "all"]));
    this.blocked = new Set(record?.blocked);
    this.isNumberHidden = record?.isNumberHidden ?? false;
    this.restriction = record?.restriction;
    this.newChats = record?.newChats;
  }

  /** Whether others get to see this. The server knows nobody's contacts, so whoever is shown to some is shown to all. */
  shows(category: (typeof PRIVACY_CATEGORIES)[number]): boolean {
    return this.privacy.get(category) !== "none";
  }

  toRecord(): ProfileRecord {
    const { about, picture, business, disappearing, isNumberHidden, restriction, newChats } = this;
    const lists = { privacy: [...this.privacy], blocked: [...this.blocked] };
    return { about, picture, business, disappearing, isNumberHidden, restriction, newChats, ...lists };
  }
}
