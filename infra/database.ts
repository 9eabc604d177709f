import { databaseGroup, vpc } from "./network.js";
import { isProduction, prefix } from "./stage.js";

/** What the instance of each size carries; 12.5 MB of memory are counted for one (RDS user guide, max_connections). */
const SIZE = isProduction
  ? ({ instance: "t4g.small", maxConnections: 150 } as const)
  : ({ instance: "t4g.micro", maxConnections: 60 } as const);
export const MAX_CONNECTIONS = SIZE.maxConnections;

export const database = new sst.aws.Mysql("Database", {
  // The component's default, 8.0, is out of standard support and billed for it.
  version: "8.4.7",
  vpc,
  instance: SIZE.instance,
  storage: "100 GB",
  multiAz: isProduction,
  database: "whatsapp",
  username: "gateway",
  transform: {
    instance: (instance) => {
      instance.vpcSecurityGroupIds = [databaseGroup.id];
      instance.publiclyAccessible = false;
      instance.deletionProtection = isProduction;
      instance.backupRetentionPeriod = isProduction ? 14 : 1;
      instance.copyTagsToSnapshot = true;
      instance.skipFinalSnapshot = !isProduction;
      if (isProduction) instance.finalSnapshotIdentifier = `${prefix}-final`;
      return undefined;
    },
    parameterGroup: (group) => {
      group.parameters = [
        { name: "require_secure_transport", value: "ON" },
        { name: "max_connections", value: String(SIZE.maxConnections), applyMethod: "pending-reboot" },
      ];
      return undefined;
    },
  },
  // `sst dev` uses a server on this machine.
  dev: { host: "127.0.0.1", port: 3306, username: "root", password: "", database: "whatsapp" },
});
