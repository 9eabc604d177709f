/** Ignores every request to end. */
process.on("SIGTERM", () => undefined);
setInterval(() => undefined, 1000);
process.send?.({ type: "ready" });
