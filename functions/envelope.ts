import { errors } from "../shared/errors.ts";
import type { ErrorCode, ErrorDetail } from "../shared/errors.ts";
import type { Language, Sentence } from "./language.ts";

/** The frame of every JSON answer. `timestamp` is `YYYY-MM-DD HH:mm:ss` in the installation's zone. */
export const success = (message: Sentence, data: unknown, language: Language, timestamp: string) => ({
  success: true as const,
  message: message[language],
  data,
  timestamp,
});

/** `requestId` is the one in the `X-Request-Id` header and in the log. */
export const failure = (
  code: ErrorCode,
  details: ErrorDetail[] | undefined,
  language: Language,
  requestId: string,
  timestamp: string,
) => ({
  success: false as const,
  message: errors[code][language],
  error: { code, ...(details && { details }) },
  requestId,
  timestamp,
});
