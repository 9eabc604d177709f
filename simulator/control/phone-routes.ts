import { Hono } from "hono";
import * as z from "zod";
import type { Account } from "../network/account.ts";
import type { Network } from "../network/network.ts";
import { MAX_LINKED_DEVICES, type PairingOutcome } from "../pairing/pairing-desk.ts";
import { ControlError } from "./errors.ts";
import { accountInPath } from "./find-account.ts";
import { phoneNumber, readBody } from "./input.ts";

const MAX_PHONES = 10_000;

const person = z.strictObject({ phone: phoneNumber, name: z.string().min(1).max(100).optional() });
const scan = z.strictObject({ qr: z.string().min(1).max(2_000) });
const typedCode = z.strictObject({
  code: z.string().regex(/^[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}$/, "must be 8 characters"),
});
const unlinked = z.strictObject({ device: z.int().positive().optional() });

/** `/phones`: people, and the devices that they link to their phones. */
export function phoneRoutes(network: Network): Hono {
  const app = new Hono();

  app.post("/", async (context) => {
    const { phone, name } = await readBody(context, person);
    if (!network.account(phone) && network.accounts().length >= MAX_PHONES) {
      throw new ControlError(409, "too_many_phones", `there are ${MAX_PHONES} phones already: POST /reset`);
    }
    const account = network.account(phone) ?? network.createAccount(phone, name ?? `Phone ${phone}`);
    if (name !== undefined && name !== account.name) {
      account.name = name;
      network.changed(account);
    }
    return context.json(describe(account), 201);
  });
  app.get("/", (context) => context.json(network.accounts().map(describe)));
  app.get("/:phone", (context) => context.json(describe(accountInPath(network, context))));

  app.post("/:phone/scan", async (context) => {
    const account = accountInPath(network, context);
    const { qr } = await readBody(context, scan);
    return context.json(linkedOrThrow(await network.pairings.scan(account, qr), "qr"));
  });
  app.post("/:phone/enter-code", async (context) => {
    const account = accountInPath(network, context);
    const { code } = await readBody(context, typedCode);
    return context.json(linkedOrThrow(await network.pairings.enterCode(account, code), "code"));
  });
  app.post("/:phone/unlink", async (context) => {
    const account = accountInPath(network, context);
    const { device } = await readBody(context, unlinked);
    const devices = [...account.devices.values()].filter((each) => device === undefined || each.device === device);
    if (device !== undefined && devices.length === 0) {
      throw new ControlError(404, "device_unknown", `phone ${account.number} has no linked device ${device}`);
    }
    for (const each of devices) network.unlink(each);
    return context.json({ unlinked: devices.map((each) => each.device) });
  });
  return app;
}

function describe(account: Account) {
  return {
    phone: account.number,
    lid: account.lid,
    name: account.name,
    settings: account.phone.settings,
    profile: {
      about: account.profile.about.text,
      hasPicture: account.profile.picture !== undefined,
      blocked: [...account.profile.blocked],
      numberHidden: account.profile.isNumberHidden,
      restriction: account.profile.restriction ?? null,
      newChats: account.profile.newChats ?? null,
    },
    devices: [...account.devices.values()].map(({ device, identity, isConnected }) => ({
      device,
      platform: identity.platform,
      connected: isConnected,
    })),
  };
}

const REFUSALS = {
  expired: ["expired", "it was shown for too long: the client shows a new one, or none any more"],
  "too-many-devices": ["too_many_devices", `this phone has ${MAX_LINKED_DEVICES} linked devices: unlink one first`],
  "passkey-required": [
    "passkey_required",
    "this account needs a passkey to link devices, which the client cannot give",
  ],
  refused: ["pairing_refused", "the client did not accept, or the code was wrong"],
} as const;

function linkedOrThrow(pairing: PairingOutcome, kind: "qr" | "code"): { device: number } {
  if (pairing.outcome === "linked") return { device: pairing.device };
  if (pairing.outcome === "unknown") {
    throw new ControlError(409, `${kind}_unknown`, "no client is waiting with it (any more)");
  }
  const [code, message] = REFUSALS[pairing.outcome];
  throw new ControlError(409, code === "expired" ? `${kind}_expired` : code, message);
}
