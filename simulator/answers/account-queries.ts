import { node } from "../wire/node.ts";
import type { Answer } from "./answer-iq.ts";

/** AB properties: none, so Baileys keeps its defaults (Socket/chats.js, `fetchProps`). */
export function answerProps(): Answer {
  return [node("props", { protocol: "1", hash: "simulated", refresh: "86400", ab_key: "simulated" }, [])];
}
