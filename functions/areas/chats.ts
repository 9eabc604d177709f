import type { ApiConfig } from "../../shared/config.ts";
import type { Route } from "../route.ts";
import { chatRoutes } from "../routes/chats.ts";
import { groupMemberRoutes } from "../routes/group-members.ts";
import { groupRoutes } from "../routes/groups.ts";

export const chatsArea = ({ phoneRegions }: ApiConfig): Route[] => [
  ...groupRoutes(phoneRegions),
  ...groupMemberRoutes(phoneRegions),
  ...chatRoutes(phoneRegions),
];
