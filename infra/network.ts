/** The component's own range (vpc.ts of SST 4.17.1). */
const vpcCidr = "10.0.0.0/16";

export const vpc = new sst.aws.Vpc("Vpc", {
  az: 2,
  // Functions in private subnets reach SQS, the scheduler and webhooks through it.
  nat: "ec2",
  transform: {
    // The default takes packets from the whole internet; only the VPC has business with it.
    natSecurityGroup: (group) => {
      group.ingress = [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: [vpcCidr] }];
      return undefined;
    },
    // Everything that names no group gets this one: it admits nobody.
    securityGroup: (group) => {
      group.ingress = [];
      return undefined;
    },
  },
});

const everywhere = [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }];

/** Functions and hosts: they call out, and nobody calls them over the network. */
export const callers = new aws.ec2.SecurityGroup("Callers", {
  description: "Functions and socket hosts: no way in",
  vpcId: vpc.id,
  ingress: [],
  egress: everywhere,
});

/** The database: taken from functions and hosts, and from nobody else. */
export const databaseGroup = new aws.ec2.SecurityGroup("DatabaseGroup", {
  description: "MySQL from functions and socket hosts",
  vpcId: vpc.id,
  ingress: [{ protocol: "tcp", fromPort: 3306, toPort: 3306, securityGroups: [callers.id] }],
  egress: [],
});

/** Device state and media go to S3 without being billed as NAT traffic. */
new aws.ec2.VpcEndpoint("S3Gateway", {
  vpcId: vpc.id,
  serviceName: $interpolate`com.amazonaws.${aws.getRegionOutput().region}.s3`,
  vpcEndpointType: "Gateway",
  routeTableIds: $util
    .all([vpc.nodes.publicRouteTables, vpc.nodes.privateRouteTables])
    .apply(([ofPublic, ofPrivate]) => [...ofPublic, ...ofPrivate].map((table) => table.id)),
});
