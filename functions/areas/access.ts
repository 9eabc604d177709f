import type { Route } from "../route.ts";
import { auditRoutes } from "../routes/audit.ts";
import { authRoutes } from "../routes/auth.ts";
import { tokenRoutes } from "../routes/tokens.ts";
import { userRoutes } from "../routes/users.ts";

export const accessArea = (): Route[] => [...authRoutes, ...tokenRoutes, ...userRoutes, ...auditRoutes];
