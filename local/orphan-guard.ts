/**
 * Comes before every child's own code, which shuts down by itself when its launcher is gone. This ends it when it
 * does not soon, and when the launcher died before the program was listening. The others end at the same time, so what it
 * waits for may not come any more; and nothing that it has said is lost by an end at any moment.
 */
const DEADLINE_MS = 5_000;

if (!process.connected) process.exit(1);
process.once("disconnect", () => {
  if (process.listenerCount("disconnect") === 0) process.exit(1);
  setTimeout(() => process.exit(1), DEADLINE_MS).unref();
});
