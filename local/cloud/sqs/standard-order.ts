import { Line } from "./line.ts";
import type { DeliveryOrder, Message } from "./message.ts";

/** Standard queues: in the order in which messages became available. */
export function standardOrder(): DeliveryOrder {
  const available = new Line<Message>();
  return {
    add(message) {
      if (message.place === "available") available.add(message, () => false);
    },
    placed(message, from) {
      if (message.place === "available") available.add(message, () => false);
      else if (from === "available") available.remove(message);
    },
    remove(message) {
      if (message.place === "available") available.remove(message);
    },
    next(max) {
      const messages = [];
      for (const message of available) {
        if (messages.length === max) break;
        messages.push(message);
      }
      return messages;
    },
  };
}
