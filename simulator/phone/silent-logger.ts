/** Baileys insists on a logger. Phones have nothing to say: no key and no message text may reach a log. */
export const silentLogger = {
  level: "silent",
  child: () => silentLogger,
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
