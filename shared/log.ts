/**
 * Structured logs, one JSON object a line on stdout. Callers log ids, states and codes; fields of the names below are
 * left out, however deep they are, should a secret or a message ever be passed by mistake. Of an error only its type,
 * code, message and stack are written: a driver's error carries the statement with its values.
 */
const UNWRITTEN = new Set([
  "authorization",
  "cookie",
  "token",
  "password",
  "secret",
  "creds",
  "keys",
  "text",
  "qr",
  "payload",
]);

const LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LEVELS)[number];

type Write = {
  (fields: object, message: string): void;
  (message: string): void;
};
export type Log = Record<Exclude<LogLevel, "trace" | "silent">, Write> & {
  /** A log whose lines have these fields too. */
  child(fields: object): Log;
};

/** @param part which process speaks: `api`, `socket-host`, … */
export function createLog(part: string, level: LogLevel): Log {
  return logWith({ part }, LEVELS.indexOf(level));
}

function logWith(always: object, least: number): Log {
  const at = (level: LogLevel): Write => {
    if (LEVELS.indexOf(level) < least) return () => undefined;
    return (fields: object | string, message?: string) => {
      const said = typeof fields === "string" ? { msg: fields } : { ...fields, msg: message };
      write({ level, time: new Date().toISOString(), ...always, ...said });
    };
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => logWith({ ...always, ...fields }, least),
  };
}

let isStdoutReady = false;

type Line = { level: LogLevel; time: string; msg?: string | undefined };

function write(line: Line): void {
  if (!isStdoutReady) {
    isStdoutReady = true;
    // Whoever read it is gone. That is no reason to end, and a host has to hand over first.
    process.stdout.on("error", () => undefined);
  }
  process.stdout.write(`${textOf(line)}\n`);
}

function textOf(line: Line): string {
  try {
    return JSON.stringify(line, writable);
  } catch {
    // Something that refers to itself: what happened is still told.
    return JSON.stringify({ level: line.level, time: line.time, msg: line.msg, isCut: true });
  }
}

function writable(name: string, value: unknown): unknown {
  if (UNWRITTEN.has(name)) return undefined;
  if (typeof value === "bigint") return String(value);
  return name === "err" || value instanceof Error ? describeError(value) : value;
}

function describeError(error: unknown) {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = "code" in error ? error.code : undefined;
  return { type: error.name, code, message: error.message, stack: error.stack };
}
