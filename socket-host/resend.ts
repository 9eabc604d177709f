import type { Log } from "../shared/log.ts";
import type { Connection } from "./connection.ts";
import type { DeviceLife } from "./device-life.ts";

/**
 * Sends again what has no outcome, one after the other so that a backlog does not crowd out its own acknowledgements. Only
 * after the server has delivered what it kept: a receipt among that proves that a message arrived, and it need not be
 * sent a second time. Ends with the connection.
 */
export async function resend({ state, inbox, outbox }: DeviceLife, connection: Connection, log: Log): Promise<void> {
  await state.durable();
  await inbox.idle();
  for (const message of await outbox.listUnresolved()) {
    if (!connection.isOpen) return;
    if (!(await outbox.isUnresolved(message))) continue;
    log.info({ messageId: message.messageId }, "sending again");
    const sent = await outbox.send(connection.socket, message);
    await sent.finished;
  }
}
