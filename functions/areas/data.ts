import type { ApiConfig } from "../../shared/config.ts";
import type { Route } from "../route.ts";
import { allowedNumberRoutes } from "../routes/allowed-numbers.ts";
import { chatbotRoutes } from "../routes/chatbots.ts";
import { messageCountRoutes } from "../routes/message-counts.ts";
import { sessionRoutes } from "../routes/sessions.ts";
import { storedMessageRoutes } from "../routes/stored-messages.ts";

export const dataArea = ({ phoneRegions }: ApiConfig): Route[] => [
  ...sessionRoutes,
  ...allowedNumberRoutes(phoneRegions),
  ...chatbotRoutes(phoneRegions),
  ...storedMessageRoutes(phoneRegions),
  ...messageCountRoutes(phoneRegions),
];
