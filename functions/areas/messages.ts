import type { ApiConfig } from "../../shared/config.ts";
import type { Route } from "../route.ts";
import { groupMessageRoutes } from "../routes/group-messages.ts";
import { jobRoutes } from "../routes/jobs.ts";
import { mediaJobRoutes } from "../routes/media-jobs.ts";
import { mediaRoutes } from "../routes/media.ts";
import { messageRoutes } from "../routes/messages.ts";
import { receivedMediaRoutes } from "../routes/received-media.ts";
import { scheduleRoutes } from "../routes/schedules.ts";

export const messagesArea = (config: ApiConfig): Route[] => [
  ...messageRoutes(config.phoneRegions),
  ...mediaRoutes(config),
  ...receivedMediaRoutes,
  ...mediaJobRoutes(config),
  ...groupMessageRoutes(config.phoneRegions),
  ...jobRoutes(config.phoneRegions),
  ...scheduleRoutes(config.phoneRegions),
];
