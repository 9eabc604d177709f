import type { EventBody, EventType } from "./events.ts";
import type { Person } from "./message.ts";

/** Events that tell what people wrote, or how they call themselves or their groups. */
const WITH_CONTENT = new Set<EventType>([
  "message.received",
  "message.edited",
  "message.deleted",
  "message.reaction",
  "group.updated",
  "group.participants",
  "call.received",
]);
export const hasContent = (type: EventType) => WITH_CONTENT.has(type);

const nameless = (person: Person): Person => ({ ...person, name: null });
const namelessAuthor = (author: Person | null) => author && nameless(author);

/** What is left of an event when its content is erased: who, where and when. It still is an event of its type. */
export function withoutContent(body: EventBody): EventBody {
  switch (body.type) {
    case "message.received": {
      const { messageId, chat, chatPhone, chatLid, fromMe, sender, sentAt } = body.data;
      const place = { messageId, chat, chatPhone, chatLid, fromMe, sender: nameless(sender), sentAt };
      return { type: body.type, data: { ...place, messageType: "unsupported", kind: body.data.messageType } };
    }
    case "message.edited": {
      const { mentions: _, ...data } = body.data;
      return { ...body, data: { ...data, sender: nameless(data.sender), text: "" } };
    }
    case "message.deleted":
      return { ...body, data: { ...body.data, sender: nameless(body.data.sender) } };
    case "message.reaction":
      return { ...body, data: { ...body.data, sender: nameless(body.data.sender), emoji: null } };
    case "group.updated":
      return { ...body, data: { ...body.data, author: namelessAuthor(body.data.author), changes: {} } };
    case "group.participants":
      return { ...body, data: { ...body.data, author: namelessAuthor(body.data.author) } };
    case "call.received":
      return { ...body, data: { ...body.data, from: nameless(body.data.from) } };
    case "device.qr":
    case "device.status":
    case "job.finished":
    case "job.progress":
    case "message.sent":
    case "message.status":
    case "schedule.fired":
      return body;
  }
}
