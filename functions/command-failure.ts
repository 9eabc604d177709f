import type { Command } from "../shared/db/commands.ts";
import { ApiError, isErrorCode } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";

/** What a host wrote for a failure that the table of errors does not know: WhatsApp would not do it. */
const OTHER: ErrorCode = "refused_by_whatsapp";

/** The code that clients see for what a host wrote. */
export const failureCode = (hostCode: string | null): ErrorCode =>
  hostCode !== null && isErrorCode(hostCode) ? hostCode : OTHER;

/** The answer for a command that failed, with the host's own words in the details. */
export function commandFailure(command: Pick<Command, "errorCode" | "errorDetail">): ApiError {
  const { errorCode, errorDetail } = command;
  const code = failureCode(errorCode);
  const words = [code === errorCode ? null : errorCode, errorDetail].filter((word) => word !== null).join(": ");
  return new ApiError(code, words ? [{ path: "command", message: words }] : undefined);
}
