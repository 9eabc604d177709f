import { Hono } from "hono";
import * as z from "zod";
import type { Account } from "../network/account.ts";
import type { Call } from "../network/calls.ts";
import type { Network } from "../network/network.ts";
import { ControlError } from "./errors.ts";
import { accountInPath, findAccount } from "./find-account.ts";
import { groupId, phoneNumber, readBody } from "./input.ts";

const order = z.strictObject({
  to: phoneNumber,
  video: z.boolean().default(false),
  group: groupId.optional(),
  addressing: z.enum(["pn", "lid"]).default("pn"),
});
const answer = z.strictObject({ action: z.enum(["accept", "reject", "hang-up", "miss"]) });

/** `/phones/:phone/calls`: a person rings another one, who takes the call on the phone, or does not. */
export function callRoutes(network: Network): Hono {
  const app = new Hono();

  app.get("/:phone/calls", (context) => {
    return context.json(network.calls.of(accountInPath(network, context)).map(describe));
  });
  app.post("/:phone/calls", async (context) => {
    const from = accountInPath(network, context);
    const { to: number, video: isVideo, group, addressing } = await readBody(context, order);
    const to = findAccount(network, number);
    assertOnline(from);
    if (group !== undefined) assertTogetherIn(network, group, [from, to]);
    const byLid = from.profile.isNumberHidden ? "lid" : addressing;
    return context.json(describe(network.calls.ring({ from, to, isVideo, group, addressing: byLid })), 201);
  });
  app.post("/:phone/calls/:id", async (context) => {
    const account = accountInPath(network, context);
    const { action } = await readBody(context, answer);
    const call = network.calls.find(context.req.param("id"));
    if (!call || (call.from !== account.number && call.to !== account.number)) {
      throw new ControlError(404, "call_unknown", "this person knows no call with that id");
    }
    assertOnline(account);
    if (!act(network, account, call, action)) {
      throw new ControlError(409, "not_allowed", `this person cannot ${action} a call that is ${call.state}`);
    }
    return context.json(describe(call));
  });
  return app;
}

/** Who is called takes the call or rejects it; who calls gives up; both may hang up. */
function act(network: Network, { number }: Account, call: Call, action: z.output<typeof answer>["action"]): boolean {
  const isCalled = call.to === number;
  if (action === "accept") return isCalled && network.calls.answer(call.id, "accepted", 0);
  if (action === "reject") return isCalled && network.calls.answer(call.id, "rejected", 0);
  if (action === "miss") return !isCalled && network.calls.end(call.id, "missed");
  return (call.state === "accepted" || !isCalled) && network.calls.end(call.id, "ended");
}

function describe({ id, from, to, isVideo: video, group, state, answeredBy }: Call) {
  return { id, from, to, video, group, state, answeredBy };
}

function assertOnline({ phone }: Account): void {
  if (!phone.settings.online) throw new ControlError(409, "phone_offline", "this phone is not online");
}

function assertTogetherIn(network: Network, id: string, people: Account[]): void {
  const group = network.groups.find(id);
  if (!group) throw new ControlError(404, "group_unknown", `there is no group ${id}`);
  if (people.some(({ number }) => !group.members.has(number))) {
    throw new ControlError(409, "not_allowed", "both must be in the group that the call is for");
  }
}
