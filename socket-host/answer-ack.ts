import type { Log } from "../shared/log.ts";
import type { Outbox } from "./outbox.ts";
import { refusalOf, RESTRICTED } from "./refusal.ts";
import type { Socket, Standing } from "./whatsapp/socket.ts";

const STANDING_WAIT_MS = 5_000;

/** Records what WhatsApp's server says about a message. After a restriction it asks first what is still allowed. */
export async function answerAck(
  outbox: Outbox,
  socket: Socket,
  log: Log,
  { messageId, errorCode }: { messageId: string; errorCode: string | undefined },
): Promise<void> {
  if (errorCode === undefined) return await outbox.onAck(messageId, undefined);
  const standing = errorCode === RESTRICTED ? await standingOf(socket, log) : undefined;
  await outbox.onAck(messageId, refusalOf(errorCode, standing));
}

/** Undefined when the server does not say, or takes too long over it. */
async function standingOf(socket: Socket, log: Log): Promise<Standing | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), STANDING_WAIT_MS);
  });
  try {
    return await Promise.race([socket.standing(), tooLate]);
  } catch (err) {
    log.warn({ err }, "the account's standing is not known");
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
