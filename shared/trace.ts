/**
 * One id for everything that a request brings about, in all processes and over all queues and rows between them. It is
 * that of the W3C trace context (https://www.w3.org/TR/trace-context/, level 1), is in the log lines of each step as
 * `traceId`, and goes out with each webhook. Where the operator has loaded an OpenTelemetry SDK
 * (`NODE_OPTIONS=--import …`), each step is a span of that trace besides; without one no span is made.
 */
import { isSpanContextValid, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Attributes, Context, SpanContext, SpanKind } from "@opentelemetry/api";
import { randomBytes } from "node:crypto";

declare const brand: unique symbol;
/** A `traceparent`: `00-<32 hex digits: the trace>-<16: the step that comes before>-<2: flags>`. */
export type Trace = string & { readonly [brand]: "Trace" };

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** One step, ended once. */
export type Step = {
  /** What the next step is told. */
  trace: Trace;
  end: (how?: { attributes?: Attributes; failed?: boolean }) => void;
};

/** The trace that a header or a column names; undefined when it names none. */
export const parseTrace = (text: string | null | undefined): Trace | undefined =>
  text && TRACEPARENT.test(text) ? (text as Trace) : undefined;

/** What log lines and answers call it; undefined for what no request has asked for. */
export function traceIdOf(of: Trace): string;
export function traceIdOf(of: Trace | null | undefined): string | undefined;
export function traceIdOf(of: Trace | null | undefined) {
  return of?.slice("00-".length, "00-".length + 32);
}

/**
 * Begins a step of the trace, or of a new one.
 * @param name few different ones: what is done, never to whom
 */
export function beginStep(name: string, kind: SpanKind, before: Trace | null | undefined): Step {
  const span = trace.getTracer("whatsapp-gateway").startSpan(name, { kind }, contextOf(before));
  const made = span.spanContext();
  return {
    trace: isSpanContextValid(made) ? textOf(made) : (before ?? newTrace()),
    end({ attributes = {}, failed = false } = {}) {
      span.setAttributes(attributes);
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

function contextOf(before: Trace | null | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(before ?? "") ?? [];
  if (!traceId || !spanId || !flags) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true });
}

const textOf = ({ traceId, spanId, traceFlags }: SpanContext) =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}` as Trace;

/** Not sampled: nobody keeps spans of it. */
const newTrace = () => `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-00` as Trace;
