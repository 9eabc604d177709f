import type { LinkedDevice } from "../network/linked-device.ts";
import type { Network } from "../network/network.ts";
import { answerGroups } from "../groups/answer-groups.ts";
import { children, node, SERVER, type BinaryNode } from "../wire/node.ts";
import { answerAppState } from "./app-state.ts";
import { answerBlocklist } from "./blocklist.ts";
import { answerBusiness } from "./business.ts";
import { answerEncrypt } from "./encrypt.ts";
import { answerMediaConnection } from "./media-connection.ts";
import { answerProps } from "./account-queries.ts";
import { answerMex } from "./account-standing.ts";
import { answerAbout, answerDisappearingMode } from "./own-settings.ts";
import { answerPicture } from "./picture.ts";
import { answerPrivacy } from "./privacy.ts";
import { Refusal } from "./refusal.ts";
import { answerUsync } from "./usync.ts";

/** What one kind of query is asked with. */
export type Query = { network: Network; device: LinkedDevice; iq: BinaryNode; request: BinaryNode | undefined };

/** The content of the result; `undefined` for a bare one. */
export type Answer = BinaryNode[] | Refusal | undefined;

/** By `xmlns`. Everything else gets a bare result: Baileys waits 60 s for each query and then fails on `undefined`. */
const ANSWERS = new Map<string, (query: Query) => Answer | Promise<Answer>>([
  ["abt", answerProps],
  ["blocklist", answerBlocklist],
  ["disappearing_mode", answerDisappearingMode],
  ["encrypt", answerEncrypt],
  ["privacy", answerPrivacy],
  ["status", answerAbout],
  ["usync", answerUsync],
  ["w:biz", answerBusiness],
  ["w:g2", answerGroups],
  ["w:m", answerMediaConnection],
  ["w:mex", answerMex],
  ["w:profile:picture", answerPicture],
  ["w:sync:app:state", answerAppState],
]);

/** Answers a query of a logged-in client, and does what has to follow. */
export async function answerIq(network: Network, device: LinkedDevice, iq: BinaryNode): Promise<void> {
  const { id, to, type, xmlns = "" } = iq.attrs;
  if (type === "result" || type === "error") return;
  const [request] = children(iq);
  const place = { phone: device.account.number, device: device.device, group: groupOf(iq) };
  const [slow, overLimit] = isVital(iq, request)
    ? []
    : [network.faults.take("slow-queries", place), network.faults.take("rate-overlimit", place)];
  const content = overLimit ? new Refusal(429) : await ANSWERS.get(xmlns)?.({ network, device, iq, request });
  const { connection } = device;
  const send = (answer: BinaryNode) => {
    if (slow) network.clock.after(slow.delayMs, () => connection?.send(answer));
    else connection?.send(answer);
  };
  if (content instanceof Refusal) {
    const error = node("error", { code: String(content.code), text: content.text });
    send(node("iq", { from: to ?? SERVER, type: "error", id }, [error]));
    return;
  }
  send(node("iq", { from: to ?? SERVER, type: "result", id }, content));
  if (xmlns === "passive" && request?.tag === "active") activate(device);
  if (xmlns === "md" && request?.tag === "remove-companion-device") network.unlink(device);
}

/** What keeps a connection alive, the login, and logging out: `rate-overlimit` and `slow-queries` leave that alone. */
function isVital({ attrs }: BinaryNode, request: BinaryNode | undefined): boolean {
  const { xmlns = "" } = attrs;
  return ["w:p", "passive", "md"].includes(xmlns) || (xmlns === "encrypt" && request?.tag !== "key");
}

function groupOf({ attrs }: BinaryNode): string | undefined {
  return attrs["to"]?.endsWith("@g.us") && attrs["to"] !== "@g.us" ? attrs["to"] : undefined;
}

function activate(device: LinkedDevice): void {
  if (device.activate() && !device.isBootstrapped) void device.account.phone.bootstrap(device);
}
