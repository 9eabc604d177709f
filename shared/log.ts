import { pino } from "pino";

/**
 * Structured logs, one JSON object a line on stdout. Callers log ids, states and codes; these names are removed should
 * a secret or a message ever be passed by mistake. Of an error only its type, code, message and stack are written: a
 * driver's error carries the statement with its values.
 */
const REDACTED = ["authorization", "cookie", "token", "password", "secret", "creds", "keys", "text", "qr", "payload"];

export type Log = ReturnType<typeof createLog>;

/** @param part which process speaks: `api`, `socket-host`, … */
export function createLog(part: string, level: string) {
  const paths = REDACTED.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino({
    level,
    base: { part },
    redact: { paths, remove: true },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: describeError },
  });
}

function describeError(error: unknown) {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = "code" in error ? error.code : undefined;
  return { type: error.name, code, message: error.message, stack: error.stack };
}
