import * as z from "zod";
import { MAX_GROUP_MEMBERS, changedMembers } from "../../shared/groups.ts";
import type { MemberAction } from "../../shared/groups.ts";
import type { DeviceId } from "../../shared/ids.ts";
import type { BrokenRule } from "../issue.ts";
import type { Sentence } from "../language.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { runCommand } from "../run-command.ts";
import { pendingAnswer } from "../schemas/command.ts";
import { commandHeaders } from "../schemas/command-headers.ts";
import type { CommandHeaders } from "../schemas/command-headers.ts";
import { deviceParams } from "../schemas/device.ts";
import { groupId } from "../schemas/group-id.ts";
import { person } from "../schemas/person.ts";

const GROUP = "/api/whatsapp-multi-device/devices/:deviceId/groups/:groupId";
const OUTCOMES =
  "`participants` tells of each person how it went: WhatsApp may do it for one and refuse another, so a 200 does not mean that it was done for all. Only admins may do this, or those whom the group lets add people.";
const NOBODY: BrokenRule = {
  sentence: { id: "wajib diisi, atau participants", en: "is required, or participants" },
};

const answers = (message: Sentence) => ({
  200: answer(message, changedMembers.extend({ deviceId: z.string() }), {
    deviceId: "device-001",
    groupId: "120363012345678901@g.us",
    participants: [{ jid: "6281234567890@s.whatsapp.net", status: 200, code: "ok" }],
  }),
  202: pendingAnswer,
});
const common = { tag: "Groups", scope: "groups:write", headers: commandHeaders } as const;
const errors = [
  "invalid_phone",
  "device_not_found",
  "group_not_found",
  "group_forbidden",
  "not_connected",
  "idempotency_mismatch",
  "refused_by_whatsapp",
  "outcome_unknown",
] as const;

type Target = { params: { deviceId: DeviceId; groupId: string }; headers: CommandHeaders };

function change(call: Call, { params, headers }: Target, action: MemberAction, people: readonly string[]) {
  const { deviceId, groupId: group } = params;
  const payload = { kind: "change-members" as const, group, action, participants: [...new Set(people)] };
  return runCommand(call, deviceId, { payload, headers }, ({ result }) => ({
    deviceId,
    ...changedMembers.parse(result),
  }));
}

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export function groupMemberRoutes(regions: readonly string[] | undefined): Route[] {
  const ofGroup = deviceParams.extend({ groupId });
  const people = z.array(person(regions)).min(1).max(MAX_GROUP_MEMBERS);
  return [
    route({
      ...common,
      name: "addGroupParticipants",
      method: "post",
      path: `${GROUP}/participants`,
      summary: "Add people to a group",
      description: OUTCOMES,
      params: ofGroup,
      body: z.object({ participants: people }),
      bodyExample: { participants: ["081234567890"] },
      answers: answers({ id: "Permintaan penambahan anggota selesai", en: "Who was added" }),
      errors,
      handle: ({ body, ...target }, call) => change(call, target, "add", body.participants),
    }),
    route({
      ...common,
      name: "removeGroupParticipant",
      method: "delete",
      path: `${GROUP}/participants/:participantJid`,
      summary: "Remove somebody from a group",
      description: OUTCOMES,
      params: ofGroup.extend({ participantJid: person(regions) }),
      answers: answers({ id: "Permintaan pengeluaran anggota selesai", en: "Who was removed" }),
      errors,
      handle: (target, call) => change(call, target, "remove", [target.params.participantJid]),
    }),
    route({
      ...common,
      name: "addGroupAdmins",
      method: "post",
      path: `${GROUP}/admins`,
      summary: "Make people admins of a group",
      description: `${OUTCOMES} One person in \`adminJid\`, or several in \`participants\`.`,
      params: ofGroup,
      body: z
        .object({ adminJid: person(regions).optional(), participants: people.optional() })
        .refine(({ adminJid, participants }) => adminJid !== undefined || participants !== undefined, {
          params: NOBODY,
          path: ["adminJid"],
        }),
      bodyExample: { adminJid: "081234567890" },
      answers: answers({ id: "Permintaan pengangkatan admin selesai", en: "Who was made an admin" }),
      errors,
      handle: ({ body: { adminJid, participants = [] }, ...target }, call) =>
        change(call, target, "promote", [...(adminJid === undefined ? [] : [adminJid]), ...participants]),
    }),
    route({
      ...common,
      name: "removeGroupAdmin",
      method: "delete",
      path: `${GROUP}/admins/:adminJid`,
      summary: "Make an admin of a group an ordinary member again",
      description: OUTCOMES,
      params: ofGroup.extend({ adminJid: person(regions) }),
      answers: answers({ id: "Permintaan penurunan admin selesai", en: "Who is an admin no longer" }),
      errors,
      handle: (target, call) => change(call, target, "demote", [target.params.adminJid]),
    }),
  ];
}
