import { randomBytes } from "node:crypto";
import { invalidParameter, messageNotInflight, receiptHandleIsInvalid } from "./errors.ts";
import type { Message } from "./message.ts";
import type { Queue } from "./queue.ts";

/** A new secret part for each receive: an older handle of the same message is told from the current one. */
export function newReceipt(): string {
  return randomBytes(9).toString("base64url");
}

export function receiptHandle({ id, visibility }: Pick<Message, "id" | "visibility">): string {
  return `${id}.${visibility.receipt}`;
}

/**
 * The message that may be deleted with this handle; undefined when there is nothing to do: it is gone, or (standard
 * queues) was received again since. A FIFO queue refuses a handle whose visibility has run out, because the message may
 * be with somebody else. (API reference, DeleteMessage.) Throws `ReceiptHandleIsInvalid` for what never was a handle.
 */
export function messageToDelete(queue: Queue, handle: string): Message | undefined {
  const { id, receipt } = parseHandle(handle);
  const message = queue.messages.get(id);
  if (!message) return undefined;
  const current = message.visibility.receipt === receipt;
  if (!queue.fifo) return current ? message : undefined;
  queue.reveal();
  if (current && message.place === "inFlight" && !message.claimed) return message;
  throw invalidParameter(
    `Value ${handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
  );
}

/** The message whose visibility may be changed. Throws `MessageNotInflight` or `ReceiptHandleIsInvalid`. */
export function messageInFlight(queue: Queue, handle: string): Message {
  const { id, receipt } = parseHandle(handle);
  queue.reveal();
  const message = queue.messages.get(id);
  if (!message || message.visibility.receipt !== receipt || message.place !== "inFlight" || message.claimed) {
    throw messageNotInflight();
  }
  return message;
}

function parseHandle(handle: string): { id: string; receipt: string } {
  const [, id, receipt] = /^([0-9a-f-]{36})\.([\w-]{12})$/.exec(handle) ?? [];
  if (id === undefined || receipt === undefined) throw receiptHandleIsInvalid();
  return { id, receipt };
}
