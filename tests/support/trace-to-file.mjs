/**
 * What an operator's OpenTelemetry SDK is to the product, as little of it as a test needs: loaded with
 * `NODE_OPTIONS=--import`, it writes each span that ends as a line of JSON to the file that TRACE_FILE names.
 */
import { trace } from "@opentelemetry/api";
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";

const file = process.env["TRACE_FILE"];

function startSpan(name, { kind, attributes = {} } = {}, context) {
  const parent = trace.getSpanContext(context);
  const own = {
    traceId: parent?.traceId ?? randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    traceFlags: parent?.traceFlags ?? 1,
  };
  const span = {
    spanContext: () => own,
    setAttributes: (more) => Object.assign(attributes, more) && span,
    setStatus: () => span,
    end() {
      const line = { name, kind, traceId: own.traceId, spanId: own.spanId, parentSpanId: parent?.spanId, attributes };
      appendFileSync(file, `${JSON.stringify(line)}\n`);
    },
  };
  return span;
}

if (file) trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) });
