import type { ApiConfig } from "../../shared/config.ts";
import type { Route } from "../route.ts";
import { connectionRoutes } from "../routes/connection.ts";
import { deviceRoutes } from "../routes/devices.ts";
import { pairingRoutes } from "../routes/pairing-code.ts";
import { qrRoutes } from "../routes/qr.ts";
import { restoreRoutes } from "../routes/restore.ts";

export const devicesArea = ({ phoneRegions }: ApiConfig): Route[] => [
  ...restoreRoutes,
  ...deviceRoutes,
  ...connectionRoutes,
  ...qrRoutes,
  ...pairingRoutes(phoneRegions),
];
