/**
 * Import this before Baileys. libsignal 6.0.0 (src/session_record.js, session_cipher.js, session_builder.js) prints whole
 * sessions, private ratchet keys included, with these three console methods on ordinary traffic. Nothing in the simulator
 * uses them, so they are switched off for the process.
 */
Object.assign(globalThis.console, { info: () => {}, warn: () => {}, error: () => {} });
