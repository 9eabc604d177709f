import type { Route } from "../route.ts";
import { commandRoutes } from "../routes/commands.ts";
import { deliveryRoutes } from "../routes/deliveries.ts";
import { eventRoutes } from "../routes/events.ts";
import { webhookRoutes } from "../routes/webhooks.ts";

export const recordsArea = (): Route[] => [...eventRoutes, ...commandRoutes, ...webhookRoutes, ...deliveryRoutes];
