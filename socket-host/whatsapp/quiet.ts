/**
 * libsignal prints whole sessions with their private keys through `console` on ordinary traffic (src/session_record.js,
 * closeSession). The host logs through `shared/log.ts` only, so every console method is made to do nothing. Each module that
 * imports Baileys imports this one first.
 */
const nothing = () => {};
Object.assign(globalThis.console, {
  debug: nothing,
  dir: nothing,
  error: nothing,
  info: nothing,
  log: nothing,
  table: nothing,
  trace: nothing,
  warn: nothing,
});
