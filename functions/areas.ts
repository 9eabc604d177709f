import type { ApiConfig } from "../shared/config.ts";
import type { Route } from "./route.ts";

type Load = (config: ApiConfig) => Promise<Route[]>;

/**
 * Every route that there is, in groups that are loaded by the first request for one of them: a function that starts
 * reads and builds what its request needs, not fifty schemas for others. Within a group the first route that matches
 * is taken, so one with a fixed segment stands before one with a parameter in the same place.
 */
const AREAS = {
  access: async () => (await import("./areas/access.ts")).accessArea(),
  devices: async (config) => (await import("./areas/devices.ts")).devicesArea(config),
  messages: async (config) => (await import("./areas/messages.ts")).messagesArea(config),
  chats: async (config) => (await import("./areas/chats.ts")).chatsArea(config),
  records: async () => (await import("./areas/records.ts")).recordsArea(),
  data: async (config) => (await import("./areas/data.ts")).dataArea(config),
  health: async () => (await import("./routes/health.ts")).healthRoutes,
  docs: async (config) => (await import("./routes/docs.ts")).docsRoutes(() => allRoutes(config)),
} satisfies Record<string, Load>;

export type AreaName = keyof typeof AREAS;
const NAMES = Object.keys(AREAS) as AreaName[];

/** What tells a path's area; a path without such a word is looked for in all of them. */
const AREA_OF_WORD = new Map<string | undefined, AreaName>(
  Object.entries({
    auth: "access",
    devices: "devices",
    restore: "devices",
    connected: "devices",
    detail: "devices",
    status: "devices",
    connect: "devices",
    disconnect: "devices",
    qr: "devices",
    "pairing-code": "devices",
    "send-message": "messages",
    "send-media": "messages",
    "media-uploads": "messages",
    media: "messages",
    "send-group-message": "messages",
    "mention-message": "messages",
    jobs: "messages",
    "schedule-message": "messages",
    "scheduled-messages": "messages",
    groups: "chats",
    "chat-history": "chats",
    "group-chat-history": "chats",
    "daily-chat-list": "chats",
    contacts: "chats",
    events: "records",
    commands: "records",
    health: "health",
  }),
);

/** The areas in which the route of a request may be. */
export function areasOf(path: string): readonly AreaName[] {
  const [first, second, collection, , below, , last] = path.split("/").filter(Boolean);
  if (first === "api" && second === "whatsapp") return ["data"];
  if (first === "api" && second === "webhooks") return ["records"];
  const area = AREA_OF_WORD.get(last) ?? AREA_OF_WORD.get(tellingWord());
  return area ? [area] : NAMES;

  function tellingWord() {
    if (first !== "api") return first;
    if (second === "auth") return second;
    return collection === "devices" && below !== undefined ? below : collection;
  }
}

export const loadArea = (name: AreaName, config: ApiConfig): Promise<Route[]> => AREAS[name](config);

/** Every route of every area. */
export async function allRoutes(config: ApiConfig): Promise<Route[]> {
  return (await Promise.all(NAMES.map((name) => loadArea(name, config)))).flat();
}
