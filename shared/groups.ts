/**
 * Answers about groups, as a host gives them and a client reads them. Subjects and descriptions are what people wrote, so
 * lists and descriptions of groups go by `shared/results.ts` and never into the database.
 */
import * as z from "zod";

/** People in the largest group (WhatsApp's help pages). */
export const MAX_GROUP_MEMBERS = 1024;
/** WhatsApp refuses longer ones with 406 (whatsmeow, group.go). */
export const MAX_SUBJECT_LENGTH = 100;

const jid = z.string().meta({ description: "The phone number's address where it is known, else the LID's." });

const groupSummary = z
  .object({
    id: z.string().meta({ description: "The group's JID." }),
    subject: z.string(),
    description: z.string().nullable(),
    owner: jid.nullable().meta({ description: "Who made the group; null where WhatsApp does not tell." }),
    createdAt: z.iso.datetime().nullable(),
    size: z.int().meta({ description: "How many are in it." }),
    isAdmin: z.boolean().meta({ description: "Whether this account is an admin of it." }),
    announcement: z.boolean().meta({ description: "Only admins may write." }),
    locked: z.boolean().meta({ description: "Only admins may change what the group is called and looks like." }),
    disappearingSeconds: z.int().meta({ description: "After which messages disappear; 0: never." }),
  })
  .meta({ id: "GroupSummary" });
export type GroupSummary = z.infer<typeof groupSummary>;

export const groupList = z.object({ groups: z.array(groupSummary), total: z.int() }).meta({ id: "GroupList" });
export type GroupList = z.infer<typeof groupList>;

export const groupInfo = groupSummary
  .extend({
    participants: z.array(
      z.object({
        jid,
        phoneNumber: z.string().nullable().meta({ description: "Null of somebody who hides it." }),
        lid: z.string().nullable(),
        role: z.enum(["member", "admin", "superadmin"]),
      }),
    ),
  })
  .meta({ id: "GroupInfo" });
export type GroupInfo = z.infer<typeof groupInfo>;

/** What may be done with people of a group. */
export const MEMBER_ACTIONS = ["add", "remove", "promote", "demote"] as const;
export type MemberAction = (typeof MEMBER_ACTIONS)[number];

/**
 * How it went for one person, by WhatsApp's code (whatsmeow, group.go and types/group.go; simulator/groups/membership.ts):
 * `status` is that code, 200 when it was done.
 */
export const participantOutcome = z
  .object({
    jid,
    status: z.int().meta({ description: "WhatsApp's code; 200: done." }),
    code: z
      .enum([
        "ok",
        "blocked",
        "not_allowed",
        "not_found",
        "left_recently",
        "no_change",
        "group_full",
        "refused",
        "unknown",
      ])
      .meta({
        description:
          "`ok` 200. `blocked` 401: that person has blocked this account. `not_allowed` 403: their privacy settings, or what they are in the group, forbid it. `not_found` 404: not on WhatsApp, or not in the group. `left_recently` 408. `no_change` 409: it is so already. `group_full` 419. `refused`: any other code. `unknown` 0: the answer was lost, and this person is not in the group.",
      }),
  })
  .meta({ id: "ParticipantOutcome" });
export type ParticipantOutcome = z.infer<typeof participantOutcome>;

/** The `result` of a command that made a group, and of one that changed who is in it. */
export const createdGroup = z.object({ groupId: z.string(), participants: z.array(participantOutcome) });
export type CreatedGroup = z.infer<typeof createdGroup>;
export const changedMembers = createdGroup;

const CODES: Record<number, ParticipantOutcome["code"]> = {
  0: "unknown",
  200: "ok",
  401: "blocked",
  403: "not_allowed",
  404: "not_found",
  408: "left_recently",
  409: "no_change",
  419: "group_full",
};
export const outcomeOf = (person: string, status: number): ParticipantOutcome => ({
  jid: person,
  status,
  code: CODES[status] ?? "refused",
});
