import * as z from "zod";
import { isFinished } from "../../shared/commands.ts";
import { dispatch } from "../../shared/dispatch.ts";
import { ApiError } from "../../shared/errors.ts";
import { parsePhone } from "../../shared/phone.ts";
import { commandFailure } from "../command-failure.ts";
import { finishedCommand } from "../finished-command.ts";
import type { BrokenRule } from "../issue.ts";
import type { Sentence } from "../language.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { pendingAnswer, toPendingCommand } from "../schemas/command.ts";
import { deviceParams } from "../schemas/device.ts";

const NOT_A_PHONE: BrokenRule = {
  code: "invalid_phone",
  sentence: { id: "bukan nomor telepon yang diterima", en: "is not a phone number that is accepted" },
};

const REQUIRED: Sentence = { id: "wajib diisi, atau phoneNumber", en: "is required, or phoneNumber" };

const pairing = z.object({
  pairingCode: z.string().meta({ description: "To be typed on the phone: Linked devices, Link with phone number." }),
  expiresIn: z.int().meta({ description: "Seconds." }),
});

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export function pairingRoutes(regions: readonly string[] | undefined): Route[] {
  const phone = z
    .string()
    .transform((value, context) => {
      const digits = parsePhone(value, regions);
      if (digits !== undefined) return digits;
      context.addIssue({ code: "custom", params: NOT_A_PHONE });
      return z.NEVER;
    })
    .meta({ description: "The number of the phone that is to be linked.", examples: ["081234567890"] });
  return [
    route({
      name: "getPairingCode",
      method: "post",
      path: "/api/whatsapp-multi-device/devices/:deviceId/pairing-code",
      tag: "QR",
      scope: "devices:write",
      summary: "Pairing code",
      description:
        "A code that the person types on the phone instead of scanning a QR code. Opens the device if need be; the QR code goes on to work beside it. A new code makes the one before worthless. 409 for a device that is linked: wipe it to link it anew.",
      params: deviceParams,
      body: z.object({
        phone: phone.optional(),
        phoneNumber: phone.optional().meta({ description: "Another name for `phone`." }),
      }),
      bodyExample: { phone: "6281234567890" },
      answers: {
        200: answer({ id: "Kode pairing tersedia", en: "The pairing code" }, pairing, {
          pairingCode: "ABCD1234",
          expiresIn: 160,
        }),
        202: pendingAnswer,
      },
      audit: { action: "device.connect", target: "deviceId" },
      errors: ["invalid_phone", "device_not_found", "already_registered", "not_connected", "refused_by_whatsapp"],
      async handle({ params, body }, call) {
        const { config, database } = call.services;
        const number = body.phone ?? body.phoneNumber;
        if (number === undefined)
          throw new ApiError("validation_failed", [{ path: "body.phone", message: REQUIRED[call.language] }]);
        const device = await ownDevice(call, params.deviceId);
        const dispatched = await dispatch(call.services, device, { kind: "pairing-code", phone: number });
        const command = await finishedCommand(database, dispatched.command, config.syncWaitMs, call.isAbandoned);
        if (command.state === "failed") throw commandFailure(command);
        if (!isFinished(command.state)) return { status: 202, data: toPendingCommand(command) };
        return { status: 200, data: pairing.parse(command.result) };
      },
    }),
  ];
}
