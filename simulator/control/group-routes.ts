import { Hono, type Context } from "hono";
import * as z from "zod";
import { Refusal } from "../answers/refusal.ts";
import { changeDescription, changeSettings, changeSubject, revokeInvite } from "../groups/change-group.ts";
import type { Group, GroupSettings } from "../groups/group.ts";
import {
  addMembers,
  createGroup,
  decideRequests,
  joinByCode,
  leaveGroup,
  MAX_SUBJECT,
  removeMembers,
  setAdmins,
  type MemberOutcome,
} from "../groups/membership.ts";
import type { Account } from "../network/account.ts";
import type { Network } from "../network/network.ts";
import { pnJid } from "../wire/jid.ts";
import { ControlError } from "./errors.ts";
import { accountInPath, findAccount } from "./find-account.ts";
import { phoneNumber, readBody, withoutUndefined } from "./input.ts";

const phones = z.array(phoneNumber).min(1).max(1_023);
const newGroup = z.strictObject({
  subject: z.string().min(1).max(MAX_SUBJECT),
  participants: z.array(phoneNumber).max(1_023),
  addressing: z.enum(["lid", "pn"]).default("lid"),
});
const invited = z.strictObject({ code: z.string().min(1).max(100) });
const settings = z.strictObject({
  announcement: z.boolean().optional(),
  locked: z.boolean().optional(),
  adminsAdd: z.boolean().optional(),
  joinApproval: z.boolean().optional(),
  ephemeralSeconds: z.int().min(0).max(31_536_000).optional(),
});
const action = z
  .strictObject({
    add: phones.optional(),
    remove: phones.optional(),
    promote: phones.optional(),
    demote: phones.optional(),
    approve: phones.optional(),
    reject: phones.optional(),
    leave: z.literal(true).optional(),
    revokeInvite: z.literal(true).optional(),
    subject: z.string().min(1).max(MAX_SUBJECT).optional(),
    description: z.string().max(2_048).optional(),
    settings: settings.optional(),
  })
  .refine((body) => Object.values(body).filter((value) => value !== undefined).length === 1, {
    message: "must say exactly one thing to do",
  });

/** `/phones/:phone/groups`, `/phones/:phone/join`, `/groups/:id`: groups, and what people do with them on their phones. */
export function groupRoutes(network: Network): Hono {
  const app = new Hono();

  app.post("/phones/:phone/groups", async (context) => {
    const creator = onlineAccount(network, context);
    const { subject, participants, addressing } = await readBody(context, newGroup);
    const created = okOrThrow(
      createGroup(network, creator, { subject, wanted: people(network, participants), addressing }),
    );
    return context.json({ ...describe(network, created.group), outcomes: outcomesOf(created.outcomes) }, 201);
  });
  app.post("/phones/:phone/join", async (context) => {
    const account = onlineAccount(network, context);
    const { code } = await readBody(context, invited);
    const { group, isIn } = okOrThrow(joinByCode(network, account, code));
    return context.json({ id: group.id, joined: isIn });
  });
  app.post("/phones/:phone/groups/:id", async (context) => {
    const account = onlineAccount(network, context);
    const group = groupInPath(network, context);
    const outcomes = okOrThrow(act(network, group, account, await readBody(context, action)));
    return context.json({ ...describe(network, group), outcomes: outcomesOf(outcomes ?? []) });
  });
  app.get("/groups/:id", (context) => context.json(describe(network, groupInPath(network, context))));
  return app;
}

function act(
  network: Network,
  group: Group,
  actor: Account,
  body: z.output<typeof action>,
): MemberOutcome[] | Refusal | undefined {
  const { add, remove, promote, demote, approve, reject } = body;
  if (add) return addMembers(network, group, actor, people(network, add));
  if (remove) return removeMembers(network, group, actor, people(network, remove));
  if (promote) return setAdmins(network, group, actor, { change: "promote", wanted: people(network, promote) });
  if (demote) return setAdmins(network, group, actor, { change: "demote", wanted: people(network, demote) });
  if (approve) return decideRequests(network, group, actor, { decision: "approve", wanted: people(network, approve) });
  if (reject) return decideRequests(network, group, actor, { decision: "reject", wanted: people(network, reject) });
  if (body.leave) return leaveGroup(network, group, actor);
  if (body.revokeInvite) return revokeInvite(network, group, actor);
  if (body.subject !== undefined) return changeSubject(network, group, actor, body.subject);
  if (body.description !== undefined) {
    return changeDescription(network, group, actor, { id: network.nextId(), text: body.description });
  }
  const change: Partial<GroupSettings> = withoutUndefined(body.settings ?? {});
  return changeSettings(network, group, actor, change);
}

function describe(network: Network, group: Group) {
  const { id, subject, description, addressing, creator, createdAt, settings, picture, inviteCode } = group;
  return {
    id,
    subject: subject.text,
    ...(description && { description: description.text }),
    addressing,
    creator,
    createdAt,
    members: [...group.members.keys()],
    admins: network.accounts().flatMap((account) => (group.isAdmin(account) ? [account.number] : [])),
    settings,
    inviteCode,
    requests: [...group.requests.keys()],
    ...(picture && { picture: { id: picture.id, size: picture.size } }),
  };
}

function people(network: Network, numbers: string[]) {
  return numbers.map((number) => ({ jid: pnJid(number), account: findAccount(network, number) }));
}

function outcomesOf(outcomes: MemberOutcome[]) {
  return outcomes.map(({ account, code }) => ({ phone: account?.number, code }));
}

function onlineAccount(network: Network, context: Context): Account {
  const account = accountInPath(network, context);
  if (!account.phone.settings.online) throw new ControlError(409, "phone_offline", "this phone is not online");
  return account;
}

function groupInPath(network: Network, context: Context): Group {
  const id = context.req.param("id") ?? "";
  const group = network.groups.find(id);
  if (!group) throw new ControlError(404, "group_unknown", `there is no group ${id}`);
  return group;
}

function okOrThrow<T>(result: T | Refusal): T {
  if (!(result instanceof Refusal)) return result;
  throw new ControlError(409, "refused", `WhatsApp refuses this: ${result.code} ${result.text}`);
}
