/** Does the work now and then again and again, never twice at a time. `stop` waits for the one that is under way. */
export function periodically(
  work: () => Promise<void>,
  everyMs: number,
  onFailed: (error: unknown) => void,
): { stop: () => Promise<void> } {
  let running: Promise<void> | undefined;
  const start = () => {
    running ??= work()
      .catch(onFailed)
      .finally(() => {
        running = undefined;
      });
  };
  const timer = setInterval(start, everyMs);
  start();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
