/**
 * Loaded before every child's own program, which shuts down by itself when its launcher is gone. This ends it when it
 * does not, and when the launcher died before the program was listening.
 */
const DEADLINE_MS = 35_000;

if (!process.connected) process.exit(1);
process.once("disconnect", () => {
  if (process.listenerCount("disconnect") === 0) process.exit(1);
  setTimeout(() => process.exit(1), DEADLINE_MS).unref();
});
