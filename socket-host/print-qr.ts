import QRCode from "qrcode";
import type { DeviceId } from "../shared/ids.ts";

/** Shows a QR code in the terminal, to be scanned from it: in that of the launcher, if it started this process. */
export async function printQr(deviceId: DeviceId, code: string): Promise<void> {
  const picture = await QRCode.toString(code, { type: "terminal", small: true });
  const text = `\n${deviceId}\n${picture}\n`;
  if (process.send) process.send({ type: "terminal", text });
  else process.stdout.write(text);
}
