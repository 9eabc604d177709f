import { setTimeout as pause } from "node:timers/promises";
import type { SendingPayload } from "../../shared/commands.ts";
import type { Device } from "../device.ts";
import type { Refusal } from "../refusal.ts";
import { MediaMissingError } from "./media-missing-error.ts";

const ATTEMPTS = 3;
const RETRY_MS = 1_000;

/**
 * Does what must be done before a message is begun: its file is uploaded. Until then nothing has left for the recipient,
 * so a failure is the message's end. Rejects when the connection goes meanwhile.
 */
export async function prepare(device: Device, message: SendingPayload): Promise<Refusal | undefined> {
  for (let attempt = 1; ; attempt++) {
    const connection = device.openConnection;
    if (!connection) throw new Error("the connection has ended");
    try {
      await connection.socket.prepare(message);
      return undefined;
    } catch (error) {
      if (error instanceof MediaMissingError) return { errorCode: "media_not_found" };
      if (!connection.isOpen) throw error;
      if (attempt === ATTEMPTS) return { errorCode: "media_upload_failed" };
      await pause(RETRY_MS);
    }
  }
}
