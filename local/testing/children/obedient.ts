/** Says that it is ready and ends when it is told to, or when its launcher is gone. */
process.on("SIGTERM", () => process.exit(0));
process.on("disconnect", () => process.exit(0));
process.send?.({ type: "ready", url: `http://127.0.0.1:${process.argv[2] ?? 0}`, pid: process.pid });
