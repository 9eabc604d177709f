import { InstallError, install } from "./install.mjs";

const COMMANDS = [
  "sandbox",
  "start",
  "backup",
  "restore",
  "simulator",
  "test",
  "check",
  "bench",
  "conformance",
  "soak",
];
/** These run the product only; development packages may have been left out. */
const PRODUCTION = ["sandbox", "start", "backup", "restore", "simulator"];
/** What a person can act on is told in one line, without a stack. */
const EXPECTED = ["LaunchError", "ConfigError"];

/**
 * Installs what is missing, then runs `local/<name>.ts` in this process and ends it with its exit code.
 * @param {string[]} args the command's name and its flags
 */
export async function command([name, ...flags]) {
  if (name === undefined || !COMMANDS.includes(name)) {
    console.error(`usage: node bin/run.mjs ${COMMANDS.join("|")} [flags]`);
    process.exit(1);
  }
  try {
    await install({ withDevelopment: !PRODUCTION.includes(name) });
    quietWarnings();
    const { register } = await import("tsx/esm/api");
    register();
    const module = await import(new URL(`../local/${name}.ts`, import.meta.url).href);
    process.exit(await module[name](flags));
  } catch (error) {
    const isExpected = error instanceof InstallError || EXPECTED.includes(error?.name);
    console.error(isExpected ? error.message : error);
    process.exit(1);
  }
}

/** The AWS SDK announces at each start that it will need a later Node some day. Other warnings take one line. */
function quietWarnings() {
  process.removeAllListeners("warning");
  process.on("warning", ({ message }) => {
    if (!message.startsWith("NodeVersionSupportWarning")) console.error(`warning: ${message}`);
  });
}
