import type { NewEvent } from "../../shared/events.ts";
import type { DeviceId } from "../../shared/ids.ts";
import { receivedMediaPath } from "../../shared/media.ts";

/** Says in the event of a message with a file where the file is to be had. */
export function withMediaLink(event: NewEvent, deviceId: DeviceId): NewEvent {
  if (event.type !== "message.received" || !("media" in event.data)) return event;
  const { media, messageId } = event.data;
  const url = receivedMediaPath(deviceId, messageId);
  return { ...event, data: { ...event.data, media: { ...media, status: "pending", url } } };
}
