import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Stack } from "./stack.ts";
import { writePrivateFile } from "./write-private-file.ts";

const pathOf = (dataDir: string) => join(dataDir, "run.json");

/**
 * Writes `run.json`, by which programs find a running installation. It is there while everything runs, replaced when
 * a process was started again with another pid, owner only, as it holds the password and the token.
 */
export async function writeRunFile(dataDir: string, stack: Stack): Promise<void> {
  const { apiUrl, token, login, simulatorUrl, databaseUrl, aws } = stack;
  const dashboardUrl = `${apiUrl}/docs`;
  const content = { apiUrl, token, login, dashboardUrl, simulatorUrl, databaseUrl, aws, processes: stack.processes() };
  await writePrivateFile(pathOf(dataDir), `${JSON.stringify(content, undefined, 2)}\n`);
}

/** Also that of a launcher that was killed: nobody may take it for a running one. */
export const removeRunFile = (dataDir: string) => rm(pathOf(dataDir), { force: true });
