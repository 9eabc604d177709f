import { Line } from "./line.ts";
import type { DeliveryOrder, Message } from "./message.ts";

type Group = { id: string; messages: Line<Message>; inFlight: number };

/**
 * FIFO queues: messages of a group in the order of their sequence numbers, and none of a group while another message
 * of it is in flight. Several messages of one group may go into one receive. Groups take turns: one that was served
 * goes to the end of the line.
 * (Developer guide, "FIFO queue delivery logic".)
 */
export function fifoOrder(): DeliveryOrder {
  const groups = new Map<string, Group>();
  const ready = new Set<Group>();

  const groupOf = (message: Message): Group => {
    const id = message.group ?? "";
    const known = groups.get(id);
    if (known) return known;
    const group = { id, messages: new Line<Message>(), inFlight: 0 };
    groups.set(id, group);
    return group;
  };
  const refresh = (group: Group) => {
    if (group.inFlight === 0 && group.messages.first?.place === "available") ready.add(group);
    else ready.delete(group);
    if (group.messages.length === 0) groups.delete(group.id);
  };

  return {
    add(message) {
      const group = groupOf(message);
      group.messages.add(message, ({ sequence }) => sequence > message.sequence);
      if (message.place === "inFlight") group.inFlight += 1;
      refresh(group);
    },
    remove(message) {
      const group = groupOf(message);
      group.messages.remove(message);
      if (message.place === "inFlight") group.inFlight -= 1;
      refresh(group);
    },
    placed(message, from) {
      const group = groupOf(message);
      if (from === "inFlight") group.inFlight -= 1;
      if (message.place === "inFlight") group.inFlight += 1;
      refresh(group);
    },
    next(max) {
      const messages: Message[] = [];
      for (const group of ready) {
        for (const message of group.messages) {
          if (messages.length === max) return messages;
          if (message.place !== "available") break;
          messages.push(message);
        }
      }
      return messages;
    },
  };
}
