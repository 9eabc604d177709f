import type { ApiConfig } from "../shared/config.ts";
import type { Route } from "./route.ts";

type Load = (config: ApiConfig) => Promise<Route[]>;

/**
 * Every route that there is, in groups that are loaded by the first request for one of them: a function that starts
 * reads and builds what its request needs, not fifty schemas for others. Within a group the first route that matches
 * is taken, so one with a fixed segment stands before one with a parameter in the same place.
 */
const AREAS = {
  access: async () => {
    const [auth, tokens, users, audit] = await Promise.all([
      import("./routes/auth.ts"),
      import("./routes/tokens.ts"),
      import("./routes/users.ts"),
      import("./routes/audit.ts"),
    ]);
    return [...auth.authRoutes, ...tokens.tokenRoutes, ...users.userRoutes, ...audit.auditRoutes];
  },
  devices: async ({ phoneRegions }) => {
    const [restore, devices, connection, qr, pairing] = await Promise.all([
      import("./routes/restore.ts"),
      import("./routes/devices.ts"),
      import("./routes/connection.ts"),
      import("./routes/qr.ts"),
      import("./routes/pairing-code.ts"),
    ]);
    return [
      ...restore.restoreRoutes,
      ...devices.deviceRoutes,
      ...connection.connectionRoutes,
      ...qr.qrRoutes,
      ...pairing.pairingRoutes(phoneRegions),
    ];
  },
  messages: async (config) => {
    const { phoneRegions } = config;
    const [messages, media, mediaJobs, received, toGroups, jobs] = await Promise.all([
      import("./routes/messages.ts"),
      import("./routes/media.ts"),
      import("./routes/media-jobs.ts"),
      import("./routes/received-media.ts"),
      import("./routes/group-messages.ts"),
      import("./routes/jobs.ts"),
    ]);
    return [
      ...messages.messageRoutes(phoneRegions),
      ...media.mediaRoutes(config),
      ...received.receivedMediaRoutes,
      ...mediaJobs.mediaJobRoutes(config),
      ...toGroups.groupMessageRoutes(phoneRegions),
      ...jobs.jobRoutes(phoneRegions),
    ];
  },
  schedules: async ({ phoneRegions }) => (await import("./routes/schedules.ts")).scheduleRoutes(phoneRegions),
  groups: async ({ phoneRegions }) => {
    const [groups, members] = await Promise.all([import("./routes/groups.ts"), import("./routes/group-members.ts")]);
    return [...groups.groupRoutes(phoneRegions), ...members.groupMemberRoutes(phoneRegions)];
  },
  chats: async ({ phoneRegions }) => (await import("./routes/chats.ts")).chatRoutes(phoneRegions),
  records: async () => {
    const [events, commands] = await Promise.all([import("./routes/events.ts"), import("./routes/commands.ts")]);
    return [...events.eventRoutes, ...commands.commandRoutes];
  },
  webhooks: async () => {
    const [webhooks, deliveries] = await Promise.all([
      import("./routes/webhooks.ts"),
      import("./routes/deliveries.ts"),
    ]);
    return [...webhooks.webhookRoutes, ...deliveries.deliveryRoutes];
  },
  data: async ({ phoneRegions }) => {
    const [sessions, allowedNumbers, chatbots, messages, counts] = await Promise.all([
      import("./routes/sessions.ts"),
      import("./routes/allowed-numbers.ts"),
      import("./routes/chatbots.ts"),
      import("./routes/stored-messages.ts"),
      import("./routes/message-counts.ts"),
    ]);
    return [
      ...sessions.sessionRoutes,
      ...allowedNumbers.allowedNumberRoutes(phoneRegions),
      ...chatbots.chatbotRoutes(phoneRegions),
      ...messages.storedMessageRoutes(phoneRegions),
      ...counts.messageCountRoutes(phoneRegions),
    ];
  },
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
    "schedule-message": "schedules",
    "scheduled-messages": "schedules",
    groups: "groups",
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
  if (first === "api" && second === "webhooks") return ["webhooks"];
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
