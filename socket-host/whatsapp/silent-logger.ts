/** Baileys logs stanzas and key material at its own discretion; the host logs what matters itself. */
const nothing = () => undefined;
export const silentLogger = {
  level: "silent",
  child: () => silentLogger,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};
