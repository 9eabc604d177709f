import * as z from "zod";
import type { Device } from "../../shared/db/devices.ts";
import type { Session } from "../../shared/db/sessions.ts";
import { DEVICE_STATUSES } from "../../shared/device-status.ts";
import { rowId } from "./row-id.ts";

export const sessionId = rowId.meta({ examples: [1] });
export const noteLength = 500;

export const sessionView = z
  .object({
    id: z.int(),
    user_id: z.string().meta({ description: "Whose it is." }),
    device_id: z.string(),
    whatsapp_number: z.string(),
    status: z.enum(DEVICE_STATUSES).meta({
      description: "The device's, while it is linked to this number; otherwise `disconnected`.",
    }),
    keterangan: z.string().nullable().meta({ description: "A note." }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "Session" });

/** @param devices that the caller may see, by id */
export function toSessionView(session: Session, devices: ReadonlyMap<string, Device>): z.input<typeof sessionView> {
  const device = devices.get(session.deviceId);
  const isLinked = device?.userId === session.userId && device.phoneNumber === session.whatsappNumber;
  return {
    id: session.sessionId,
    user_id: session.userId,
    device_id: session.deviceId,
    whatsapp_number: session.whatsappNumber,
    status: isLinked ? device.status : "disconnected",
    keterangan: session.note,
    created_at: session.createdAt.toISOString(),
    updated_at: session.updatedAt.toISOString(),
  };
}

export const sessionExample: z.input<typeof sessionView> = {
  id: 1,
  user_id: "usr_019aa1b2c3d4e5f60718293a4b",
  device_id: "device-001",
  whatsapp_number: "6281234567890",
  status: "connected",
  keterangan: "Toko cabang Bandung",
  created_at: "2026-11-22T03:00:00.000Z",
  updated_at: "2026-11-22T04:30:00.000Z",
};
