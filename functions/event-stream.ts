import { setTimeout as sleep } from "node:timers/promises";
import type { RecordedEvent } from "../shared/events.ts";
import { toEventView } from "./schemas/event.ts";

/** As it goes over the wire: `id` is the sequence, which a client gives back as `Last-Event-ID`. */
export const EVENT_STREAM = "text/event-stream";

/** Between two looks at the log; and between two signs of life, well within the patience of proxies. */
const LOOK_EVERY_MS = 1_000;
const HEARTBEAT_EVERY_MS = 15_000;
/** A stream ends by then and its client comes again, so that a token that was revoked is not obeyed for ever. */
const LASTS_MS = 300_000;
/** How soon a client comes again. */
const RETRY_MS = 1_000;

type Read = (after: number) => Promise<RecordedEvent[]>;
const encoder = new TextEncoder();

/** Events as text; the type is the name under which a browser's `EventSource` tells them. */
export const eventStreamText = (events: readonly RecordedEvent[]) =>
  [
    `retry: ${RETRY_MS}\n\n`,
    ...events.map((event) => {
      const view = toEventView(event);
      return `id: ${view.sequence}\nevent: ${view.type}\ndata: ${JSON.stringify(view)}\n\n`;
    }),
  ].join("");

/**
 * The events of a device from a place in its log on, as they are recorded, until the client goes, the process is to end or
 * the time is up. It reads no further than its client does.
 * @param read what comes after a sequence, a bounded part of it; when it fails the stream ends, and the client resumes
 * @param onEnd called once
 */
export function eventStream(
  read: Read,
  after: number,
  { isAbandoned, onEnd }: { isAbandoned: () => boolean; onEnd: () => void },
): ReadableStream<Uint8Array> {
  const ends = performance.now() + LASTS_MS;
  let last = after;
  let isFirst = true;
  let isCancelled = false;
  const isOver = () => isCancelled || isAbandoned() || performance.now() >= ends;

  /** What is to be told next; undefined when the stream is over. */
  async function next(): Promise<string | undefined> {
    const heartbeat = performance.now() + HEARTBEAT_EVERY_MS;
    while (!isOver()) {
      const events = await read(last);
      last = events.at(-1)?.sequence ?? last;
      if (events.length || isFirst) return eventStreamText(events);
      if (performance.now() >= heartbeat) return ": \n\n";
      await sleep(LOOK_EVERY_MS);
    }
    return undefined;
  }

  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    clearTimeout(timer);
    if (isCancelled) return;
    isCancelled = true;
    onEnd();
  };
  return new ReadableStream({
    start(controller) {
      // Of a client that has stopped reading.
      timer = setTimeout(() => {
        controller.error(new Error("the stream was not read to its end"));
        end();
      }, LASTS_MS + HEARTBEAT_EVERY_MS);
    },
    async pull(controller) {
      const text = await next().catch(() => undefined);
      isFirst = false;
      if (text !== undefined && !isCancelled) return controller.enqueue(encoder.encode(text));
      if (!isCancelled) controller.close();
      end();
    },
    cancel: end,
  });
}
