import { SpanKind } from "@opentelemetry/api";
import type { Command } from "../shared/db/commands.ts";
import type { Log } from "../shared/log.ts";
import { beginStep, traceIdOf } from "../shared/trace.ts";
import type { Executed } from "./consumer.ts";
import { metrics } from "./metrics.ts";

/** A command as a step of the trace of its request: `command` goes on with the trace from here. */
export type CommandStep = { command: Command; end: (executed: Executed) => void };

/** Lasts until the command's outcome is stored, and logs then that it was run; one that failed is logged by who tries again. */
export function beginCommand(command: Command, log: Log): CommandStep {
  const { commandId, deviceId, kind } = command;
  const startedAt = performance.now();
  if (command.state === "queued") metrics.commandBegun(command.createdAt);
  const step = beginStep(kind, SpanKind.CONSUMER, command.trace);
  return {
    command: { ...command, trace: step.trace },
    end(executed) {
      if ("error" in executed) {
        step.end({ failed: true });
        metrics.commandRun(kind, "failed", performance.now() - startedAt);
        return;
      }
      void executed.finished.then((end) => {
        step.end();
        const ms = Math.round(performance.now() - startedAt);
        metrics.commandRun(kind, end, ms);
        log.info({ traceId: traceIdOf(step.trace), commandId, deviceId, kind, end, ms }, "command run");
      });
    },
  };
}
