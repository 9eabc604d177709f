import type { Stack } from "./stack.ts";

/** What a person needs of a running installation. */
export function summary(title: string, stack: Stack, dataDir: string): string {
  const { apiUrl, simulatorUrl, login, token } = stack;
  const rows = [
    ["API", apiUrl],
    ["Docs", `${apiUrl}/docs`],
    ...(simulatorUrl ? [["Phones", `${simulatorUrl} (simulated)`]] : []),
    ["Login", `${login.username} / ${login.password}`],
    ["Token", token],
    ["Data", dataDir],
  ];
  return [title, "", ...rows.map(([name = "", value = ""]) => `  ${name.padEnd(8)}${value}`)].join("\n");
}
