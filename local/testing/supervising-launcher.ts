/** A stand-in for the launcher: two children, whose pids it tells its parent; then it waits to be killed. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inheritedEnvironment } from "../../shared/config.ts";
import { startNodeProcess } from "../node-process.ts";
import { buildPrograms } from "../programs.ts";
import { createSupervisor } from "../supervisor.ts";

const logs = await mkdtemp(join(tmpdir(), "launcher-logs-"));
const supervisor = createSupervisor({ report: () => undefined, onChange: () => undefined });
const source = "local/testing/children/obedient.ts";
const program = (await buildPrograms([source], join(logs, "programs")))(source);
for (const name of ["one", "two"]) {
  const options = { name, program, args: [], environment: inheritedEnvironment(), logs, stopDeadlineMs: 1000 };
  await supervisor.start(name, () => startNodeProcess(options));
}
process.send?.({ logs, processes: supervisor.processes() });
