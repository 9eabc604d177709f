import * as z from "zod";
import { MAX_GROUP_MEMBERS, MAX_SUBJECT_LENGTH, createdGroup, groupInfo, groupList } from "../../shared/groups.ts";
import type { GroupInfo } from "../../shared/groups.ts";
import { readByHost } from "../read-by-host.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { runCommand } from "../run-command.ts";
import { pendingAnswer } from "../schemas/command.ts";
import { commandHeaders } from "../schemas/command-headers.ts";
import { deviceParams } from "../schemas/device.ts";
import { groupId } from "../schemas/group-id.ts";
import { wellFormedText } from "../schemas/message-text.ts";
import { person } from "../schemas/person.ts";

const GROUPS = "/api/whatsapp-multi-device/devices/:deviceId/groups";
const tag = "Groups";

const example: GroupInfo = {
  id: "120363012345678901@g.us",
  subject: "Pelanggan",
  description: null,
  owner: "6281234567890@s.whatsapp.net",
  createdAt: "2026-11-22T03:00:00.000Z",
  size: 2,
  isAdmin: true,
  announcement: false,
  locked: false,
  disappearingSeconds: 0,
  participants: [
    { jid: "6281234567890@s.whatsapp.net", phoneNumber: "6281234567890", lid: "100000000000123", role: "superadmin" },
    { jid: "6289876543210@s.whatsapp.net", phoneNumber: "6289876543210", lid: "100000000000456", role: "member" },
  ],
};
const { participants: _people, ...summaryExample } = example;

const listGroups = route({
  name: "listGroups",
  method: "get",
  path: GROUPS,
  tag,
  scope: "groups:read",
  summary: "Groups of a device",
  description:
    "Every group that the account is in, by name. WhatsApp is asked for all of them once for each connection, then only for those that have changed.",
  params: deviceParams,
  answers: {
    200: answer({ id: "Daftar grup berhasil diambil", en: "The groups" }, groupList, {
      groups: [summaryExample],
      total: 1,
    }),
    202: pendingAnswer,
  },
  errors: ["device_not_found", "not_connected", "refused_by_whatsapp"],
  handle: ({ params }, call) => readByHost(call, params.deviceId, { kind: "list-groups" }, groupList),
});

const getGroup = route({
  name: "getGroupInfo",
  method: "get",
  path: `${GROUPS}/:groupId/info`,
  tag,
  scope: "groups:read",
  summary: "A group and who is in it",
  description: "As WhatsApp has it now, or had it before a change of which it has told nothing yet.",
  params: deviceParams.extend({ groupId }),
  answers: {
    200: answer({ id: "Info grup berhasil diambil", en: "The group" }, groupInfo, example),
    202: pendingAnswer,
  },
  errors: ["device_not_found", "group_not_found", "group_forbidden", "not_connected", "refused_by_whatsapp"],
  handle: ({ params }, call) =>
    readByHost(call, params.deviceId, { kind: "group-info", group: params.groupId }, groupInfo),
});

const createGroup = (regions: readonly string[] | undefined) =>
  route({
    name: "createGroup",
    method: "post",
    path: GROUPS,
    tag,
    scope: "groups:write",
    summary: "Make a group",
    description:
      "`participants` tells of each person whether they are in it: WhatsApp may take one and refuse another. Never made twice: when the answer was lost to a crash or with the connection, the group is looked for among those that the account has made since, and if it is not there the answer is 504 `outcome_unknown`.",
    params: deviceParams,
    headers: commandHeaders,
    body: z.object({
      subject: wellFormedText(MAX_SUBJECT_LENGTH).regex(/\S/),
      participants: z
        .array(person(regions))
        .min(1)
        .max(MAX_GROUP_MEMBERS - 1),
    }),
    bodyExample: { subject: "Pelanggan", participants: ["081234567890"] },
    answers: {
      200: answer(
        { id: "Grup berhasil dibuat", en: "The group was made" },
        createdGroup.extend({ deviceId: z.string(), subject: z.string() }),
        {
          deviceId: "device-001",
          groupId: "120363012345678901@g.us",
          subject: "Pelanggan",
          participants: [{ jid: "6281234567890@s.whatsapp.net", status: 200, code: "ok" }],
        },
      ),
      202: pendingAnswer,
    },
    errors: [
      "invalid_phone",
      "device_not_found",
      "not_connected",
      "idempotency_mismatch",
      "refused_by_whatsapp",
      "outcome_unknown",
    ],
    handle: ({ params: { deviceId }, headers, body }, call) => {
      const { subject } = body;
      const payload = { kind: "create-group" as const, subject, participants: [...new Set(body.participants)] };
      return runCommand(call, deviceId, { payload, headers }, ({ result }) => ({
        deviceId,
        subject,
        ...createdGroup.parse(result),
      }));
    },
  });

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export const groupRoutes = (regions: readonly string[] | undefined): Route[] => [
  listGroups,
  createGroup(regions),
  getGroup,
];
