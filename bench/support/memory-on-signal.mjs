import { writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

// Loaded into a process that is measured: at SIGUSR2 it collects its garbage and writes what is left to MEMORY_FILE.
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
process.on("SIGUSR2", () => {
  // What finalizers let go of is garbage of the next round.
  collect();
  setImmediate(() => {
    collect();
    writeFileSync(process.env["MEMORY_FILE"] ?? "", JSON.stringify(process.memoryUsage()));
  });
});
